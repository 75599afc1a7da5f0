"""Authelia's ``configuration.yml``, as its versions 4.37 to 4.39 read it.

Source: https://www.authelia.com/configuration/prologue/introduction/
"""
