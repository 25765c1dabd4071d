{{/* Parts of Pods. A parent chart includes simgate.container, simgate.initContainers and simgate.volumes with
     .Subcharts.simgate, gives its Pods simgate.podLabels and simgate.podAnnotations, and at least
     simgate.terminationGracePeriodSeconds (examples/sidecar). */}}

{{- define "simgate.securityContext" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "simgate.podSecurityContext" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "simgate.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Where a Pod may run. Takes (list ROOT GPU). */}}
{{- define "simgate.nodes" -}}
{{- $values := (index . 0).Values -}}
{{- $gpu := index . 1 -}}
{{- if and $gpu $values.gpu.runtimeClassName }}
runtimeClassName: {{ $values.gpu.runtimeClassName | quote }}
{{- end }}
{{- with merge (dict) $values.nodeSelector (ternary $values.gpu.nodeSelector dict $gpu) }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $values.tolerations (ternary $values.gpu.tolerations list $gpu) }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "simgate.podLabels" -}}
{{ include "simgate.selectorLabels" . }}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "simgate.podAnnotations" -}}
simgate/settings: {{ include "simgate.checksum" . | quote }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What the drain takes, and five seconds for the process to start and end it. */}}
{{- define "simgate.terminationGracePeriodSeconds" -}}
{{- add .Values.preStopSeconds (ceil .Values.settings.drainDelay | int) (ceil .Values.settings.grace | int) 5 -}}
{{- end -}}

{{- define "simgate.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- if .Values.gpu.enabled -}}
{{- $limits := dict .Values.gpu.resourceName (int .Values.gpu.count) -}}
{{- $_ := set $resources "limits" (merge $limits (default dict $resources.limits)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{- define "simgate.initContainers" -}}
{{- include "simgate.bundleContainers" (dict "root" . "previous" true) | trim -}}
{{- end -}}

{{/* "true" where gRPC listens for the Pod's other containers alone. */}}
{{- define "simgate.loopback" -}}
{{- if and (eq .Values.mode "sidecar") (eq .Values.sidecar.grpcAddress "127.0.0.1") -}}true{{- end -}}
{{- end -}}

{{/* preStop runs `sleep` of the image: Kubernetes' own sleep needs 1.30. */}}
{{- define "simgate.container" -}}
{{- $values := .Values -}}
{{- $prefix := ternary "simgate-" "" (eq $values.mode "sidecar") -}}
- name: simgate
  image: {{ include "simgate.image" . | quote }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  args:
    - serve
    - --address
    - {{ ternary "127.0.0.1" "0.0.0.0" (eq (include "simgate.loopback" .) "true") }}:{{ $values.grpc.port }}
    {{- if $values.http.enabled }}
    - --http
    - 0.0.0.0:{{ $values.http.port }}
    {{- else }}
    - --no-http
    {{- end }}
    {{- if not $values.engine.type }}
    - --no-index
    {{- end }}
  ports:
    - name: {{ $prefix }}grpc
      containerPort: {{ $values.grpc.port }}
    {{- if $values.http.enabled }}
    - name: {{ $prefix }}http
      containerPort: {{ $values.http.port }}
    {{- end }}
  {{- include "simgate.env" (dict "root" . "resources" (include "simgate.resources" . | fromYaml)) | nindent 2 }}
  {{- range $kind := list "startup" "readiness" "liveness" }}
  {{ $kind }}Probe:
    {{- include "simgate.probe" (dict "root" $ "kind" $kind) | nindent 4 }}
  {{- end }}
  {{- if $values.preStopSeconds }}
  lifecycle:
    preStop:
      exec:
        command: [sleep, {{ $values.preStopSeconds | quote }}]
  {{- end }}
  {{- include "simgate.securityContext" . | nindent 2 }}
  resources:
    {{- include "simgate.resources" . | nindent 4 }}
  volumeMounts:
    {{- include "simgate.mounts" . | trim | nindent 4 }}
{{- end -}}

{{/* How the kubelet asks: with mTLS it has no certificate and sees only that the port is open; its gRPC probe speaks no
     TLS. Without TLS the start is seen on gRPC's port, so that both doors are known to be open. */}}
{{- define "simgate.probe" -}}
{{- $values := .root.Values -}}
{{- $loopback := eq (include "simgate.loopback" .root) "true" -}}
{{- $http := and $values.http.enabled (not $values.tls.clientCA.existingSecret) -}}
{{- if and (not $values.tls.enabled) (not $loopback) (or (eq .kind "startup") (not $values.http.enabled)) -}}
grpc:
  port: {{ $values.grpc.port }}
  service: simgate.v1.Simgate
{{- else if $http -}}
httpGet:
  path: {{ ternary "/livez" "/readyz" (eq .kind "liveness") }}
  port: {{ $values.http.port }}
  scheme: {{ include "simgate.scheme" .root | upper }}
{{- else -}}
tcpSocket:
  port: {{ ternary $values.http.port $values.grpc.port $loopback }}
{{- end }}
{{ toYaml (index $values.probes .kind) }}
{{- end -}}
