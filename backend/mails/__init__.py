"""Mails: each is a row first, so that none is lost and none is sent twice."""
