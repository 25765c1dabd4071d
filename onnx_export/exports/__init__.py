"""Offline batch export: many bundles in one go, each checked against torch and written with its manifest."""
