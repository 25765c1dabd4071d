"""Offline encoding: a large corpus in parts, done by this process or by many, on one machine or on a Ray cluster."""
