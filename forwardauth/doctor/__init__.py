"""``forwardauth doctor``: the service and the proxy, looked at from outside."""
