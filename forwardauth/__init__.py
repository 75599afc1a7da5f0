"""forwardauth: forward authentication with a logout that ends the session.

The two flows; each arrow is one call in the handler, in this order.

    verify   proxy request ─► original request ─► session lookup ─► decision ─► answer
             web.forwarded    adapters.X.read     web.identity      rules       adapters

    logout   request ─► who asks ─► revoke ─► clear cookies ─► check target ─► answer
                        web.intent  sessions  web.cookies      redirects       web

Start reading at ``request``, then ``adapters.nginx``, ``access_control.rules``,
``sessions.store``, ``web.handlers.verify``, ``web.handlers.logout``, ``app``.
"""
