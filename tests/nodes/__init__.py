"""Real nodes of OpenSearch and Elasticsearch, laid out from Maven Central, and a proxy that misbehaves in front of one."""
