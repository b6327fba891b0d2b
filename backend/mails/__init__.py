"""Mails. Each is stored as a row before it is sent, so that none is lost or sent twice."""
