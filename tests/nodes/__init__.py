"""Real nodes of OpenSearch and Elasticsearch, from Maven Central, and a proxy in front of one that can misbehave."""
