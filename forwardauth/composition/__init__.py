"""Builders of the composition root: from settings to what the service is made of.

``live``
    what outlives a change of the configuration
``journal_folder``
    the journal, and the signing key beside it
``web_settings``
    what handlers are told of the settings
``looks``
    the pages, and the files that they show
``tracing``
    whether traces are sent
``signers``
    what signs with the one key
``management``
    the application of the other listener
``short_ways``
    the way of plain verify requests
"""
