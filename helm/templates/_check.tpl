{{/* Combinations of values that cannot work; single values are the schema's. Each message names the values and the fix. */}}

{{- define "simgate.check" -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" (include "simgate.fullname" .)) -}}
{{- fail (printf "%s is no name for a Service, which begins with a letter and has no dots: give fullnameOverride" (include "simgate.fullname" .)) -}}
{{- end -}}
{{- include "simgate.checkMode" . -}}
{{- include "simgate.checkBundle" (dict "root" . "path" "bundle" "bundle" .Values.bundle) -}}
{{- include "simgate.checkBundle" (dict "root" . "path" "previousBundle" "bundle" .Values.previousBundle) -}}
{{- include "simgate.checkDoors" . -}}
{{- include "simgate.checkEngine" . -}}
{{- include "simgate.checkEncode" . -}}
{{- if and .Values.calibrations.existingConfigMap .Values.calibrations.pvc.claimName -}}
{{- fail "calibrations: existingConfigMap and pvc.claimName exclude each other: give one" -}}
{{- end -}}
{{- end -}}

{{- define "simgate.checkMode" -}}
{{- $values := .Values -}}
{{- if and (include "simgate.loopback" .) (not $values.http.enabled) -}}
{{- fail "sidecar.grpcAddress: 127.0.0.1 needs http.enabled: the kubelet's probes reach neither port; give 0.0.0.0 or enable HTTP" -}}
{{- end -}}
{{- $scaled := or $values.autoscaling.enabled $values.keda.enabled -}}
{{- if and $values.autoscaling.enabled $values.keda.enabled -}}
{{- fail "autoscaling.enabled and keda.enabled exclude each other: enable one" -}}
{{- end -}}
{{- if and (eq $values.mode "sidecar") $scaled -}}
{{- fail "mode: sidecar has no Deployment to scale: disable autoscaling and keda, and scale the parent's" -}}
{{- end -}}
{{- if and $values.autoscaling.enabled (not $values.autoscaling.cpuUtilization) (not $values.autoscaling.requestsWaiting) -}}
{{- fail "autoscaling: cpuUtilization and requestsWaiting are both 0: set one" -}}
{{- end -}}
{{- range $path := list "autoscaling" "keda" -}}
{{- $scaler := get $values $path -}}
{{- if and $scaler.enabled (gt (int $scaler.minReplicas) (int $scaler.maxReplicas)) -}}
{{- fail (printf "%s: minReplicas is above maxReplicas: lower one" $path) -}}
{{- end -}}
{{- if and $scaler.enabled $scaler.cpuUtilization (not (or (dig "requests" "cpu" "" $values.resources) (dig "limits" "cpu" "" $values.resources))) -}}
{{- fail (printf "%s.cpuUtilization is a share of resources.requests.cpu: set that too" $path) -}}
{{- end -}}
{{- end -}}
{{- if and $values.keda.enabled (not $values.keda.prometheus.serverAddress) -}}
{{- fail "keda.prometheus.serverAddress: is missing: give http://host:port of Prometheus" -}}
{{- end -}}
{{- if not $values.http.enabled -}}
{{- range $path, $wanted := dict "serviceMonitor.enabled" $values.serviceMonitor.enabled "keda.enabled" $values.keda.enabled "autoscaling.requestsWaiting" (and $values.autoscaling.enabled $values.autoscaling.requestsWaiting) -}}
{{- if $wanted -}}
{{- fail (printf "%s needs http.enabled: /metrics is served over HTTP" $path) -}}
{{- end -}}
{{- end -}}
{{- if include "simgate.called" . -}}
{{- fail "templates.sidecar needs http.enabled: engines call over HTTP; give none to leave out what calls" -}}
{{- end -}}
{{- end -}}
{{- if and $values.templates.enabled (eq $values.mode "sidecar") (eq $values.templates.sidecar "auto") -}}
{{- fail "templates.sidecar: auto is the ordinary Service, which mode: sidecar has not: give a URL, or none" -}}
{{- end -}}
{{- if and (has (toString $values.rollout.maxSurge) (list "0" "0%")) (has (toString $values.rollout.maxUnavailable) (list "0" "0%")) -}}
{{- fail "rollout: maxSurge and maxUnavailable are both 0: nothing could be rolled out" -}}
{{- end -}}
{{- end -}}

{{- define "simgate.checkBundle" -}}
{{- $bundle := .bundle -}}
{{- if and (eq $bundle.source "oci") (not $bundle.oci.reference) -}}
{{- fail (printf "%s.source: oci needs %s.oci.reference" .path .path) -}}
{{- end -}}
{{- if and (eq $bundle.source "oci") (semverCompare "<1.31.0-0" .root.Capabilities.KubeVersion.Version) -}}
{{- fail (printf "%s.source: oci needs Kubernetes 1.31 or later, with the feature ImageVolume; this is %s: use fetch or pvc" .path .root.Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and (eq $bundle.source "fetch") (not (and $bundle.fetch.url $bundle.fetch.sha256)) -}}
{{- fail (printf "%s.source: fetch needs %s.fetch.url and %s.fetch.sha256" .path .path .path) -}}
{{- end -}}
{{- if and (eq $bundle.source "pvc") (not $bundle.pvc.claimName) -}}
{{- fail (printf "%s.source: pvc needs %s.pvc.claimName" .path .path) -}}
{{- end -}}
{{- end -}}

{{- define "simgate.checkDoors" -}}
{{- $tls := .Values.tls -}}
{{- if and (not $tls.enabled) (or $tls.existingSecret $tls.certManager.enabled $tls.clientCA.existingSecret) -}}
{{- fail "tls.enabled is false, but tls.existingSecret, tls.certManager or tls.clientCA is set: enable TLS, or take them out" -}}
{{- end -}}
{{- if and $tls.enabled $tls.existingSecret $tls.certManager.enabled -}}
{{- fail "tls.existingSecret and tls.certManager.enabled exclude each other: give one" -}}
{{- end -}}
{{- if and $tls.enabled (not $tls.existingSecret) (not $tls.certManager.enabled) -}}
{{- fail "tls.enabled needs tls.existingSecret, or tls.certManager.enabled" -}}
{{- end -}}
{{- if and $tls.certManager.enabled (not $tls.certManager.issuerRef.name) -}}
{{- fail "tls.certManager.enabled needs tls.certManager.issuerRef.name" -}}
{{- end -}}
{{- $clients := or .Values.serviceMonitor.enabled (and .Values.test.enabled (eq .Values.mode "deployment")) -}}
{{- $called := include "simgate.called" . -}}
{{- if and (or $clients $called) .Values.apiKeys.existingSecret (not .Values.client.apiKey.existingSecret) -}}
{{- fail "apiKeys: helm test, Prometheus and the engine's connectors need a key: name its Secret in client.apiKey.existingSecret, or disable test and serviceMonitor and give templates.sidecar none" -}}
{{- end -}}
{{- if and $called $tls.clientCA.existingSecret -}}
{{- fail "tls.clientCA: an engine has no certificate to show: give templates.sidecar none, or take tls.clientCA out" -}}
{{- end -}}
{{- if and $clients $tls.clientCA.existingSecret (not .Values.client.certificate.existingSecret) -}}
{{- fail "tls.clientCA: helm test and Prometheus need a certificate: name its Secret in client.certificate.existingSecret, or disable test and serviceMonitor" -}}
{{- end -}}
{{- if and $clients $tls.existingSecret (not $tls.ca.existingSecret) -}}
{{- fail "tls.existingSecret: helm test and Prometheus need its authority: name the Secret with it in tls.ca.existingSecret, the same one if it holds ca.crt, or disable test and serviceMonitor" -}}
{{- end -}}
{{- if eq (int .Values.grpc.port) (int .Values.http.port) -}}
{{- fail "grpc.port and http.port are the same: change one" -}}
{{- end -}}
{{- end -}}

{{- define "simgate.checkEngine" -}}
{{- $engine := .Values.engine -}}
{{- if and $engine.type (not $engine.url) -}}
{{- fail "engine.type needs engine.url" -}}
{{- end -}}
{{- if not $engine.type -}}
{{- if or $engine.url $engine.index $engine.indices $engine.login.existingSecret $engine.ca.existingSecret -}}
{{- fail "engine.type is empty, but other values of engine are set: give opensearch or elasticsearch" -}}
{{- end -}}
{{- if .Values.templates.enabled -}}
{{- fail "templates.enabled needs engine.type and engine.url" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "simgate.checkEncode" -}}
{{- $encode := .Values.encode -}}
{{- if $encode.enabled -}}
{{- if and (ne $encode.task "files") (not (and .Values.engine.type (or $encode.index .Values.engine.index))) -}}
{{- fail (printf "encode.task: %s needs engine.type, engine.url and encode.index" $encode.task) -}}
{{- end -}}
{{- if ne $encode.task "update" -}}
{{- if not $encode.corpus.paths -}}
{{- fail (printf "encode.task: %s needs encode.corpus.paths" $encode.task) -}}
{{- end -}}
{{- range $encode.corpus.paths -}}
{{- if not (or (contains "://" .) $encode.corpus.claimName) -}}
{{- fail (printf "encode.corpus.paths: %s is no URI, so that encode.corpus.claimName must tell which claim it is in" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $encode.task "index") (gt (len $encode.corpus.paths) 1) -}}
{{- fail "encode.corpus.paths: task index takes one file or folder: give one" -}}
{{- end -}}
{{- if and (eq $encode.task "files") (not (or (contains "://" $encode.output.path) $encode.output.claimName)) -}}
{{- fail "encode.task: files needs encode.output.claimName, or a URI in encode.output.path" -}}
{{- end -}}
{{- if and $encode.ray.enabled $encode.schedule -}}
{{- fail "encode.ray.enabled and encode.schedule exclude each other: give one" -}}
{{- end -}}
{{- if and $encode.ray.enabled (not $encode.ray.image.repository) (not $encode.ray.image.tag) -}}
{{- fail "encode.ray.enabled: the server's image has no Ray: give encode.ray.image.tag or encode.ray.image.repository of one made with EXTRAS=elasticsearch,tracing,ray" -}}
{{- end -}}
{{- if and (eq $encode.task "index") (not $encode.schedule) .Values.templates.enabled .Values.templates.hook -}}
{{- fail "encode.task: index begins before the hook of templates has made the index template: give templates.hook=false" -}}
{{- end -}}
{{- end -}}
{{- end -}}
