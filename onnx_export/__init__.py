"""Train, convert and evaluate model bundles; needs the extra ``export``."""

import plugin_server.session  # noqa: F401 - before anything imports onnxruntime, whose telemetry it turns off
