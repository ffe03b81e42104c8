"""A stand-in for the services that know people, devices, tickets and incidents; see standin.py."""
