"""simgate and search engines: connections, layouts, bulk writing, recall."""
