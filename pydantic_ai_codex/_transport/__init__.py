"""The I/O shells: a request's bytes out, the data of one event after another in."""
