"""The demonstration: a real proxy, the service and sample applications on one machine.

Everything listens on loopback and is gone when the demonstration ends, so its user and
password may be known to everybody. Nothing here is imported by the service.
"""
