"""Index templates, search pipelines, connector and inference-endpoint bodies, and what applies them."""
