{{/* The environment: SIMGATE_* from values. */}}

{{/* A value as the server reads it: whole numbers in full, lists parted by commas. */}}
{{- define "simgate.value" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else if kindIs "slice" . -}}
{{- join "," . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Folder of a bundle in the container. Takes (dict "bundle" values "name" "current"|"previous"). */}}
{{- define "simgate.bundleFolder" -}}
{{- $bundle := .bundle -}}
{{- if eq $bundle.source "image" -}}
/opt/simgate/bundle
{{- else if eq $bundle.source "fetch" -}}
/bundles/{{ .name }}/bundle
{{- else -}}
{{- $path := ternary $bundle.oci.path $bundle.pvc.path (eq $bundle.source "oci") | trimAll "/" -}}
/bundles/{{ .name }}{{ if $path }}/{{ $path }}{{ end }}
{{- end -}}
{{- end -}}

{{/* All that is no secret, as YAML; the ConfigMap's data. */}}
{{- define "simgate.environment" -}}
{{- $values := .Values -}}
{{- range $name, $value := $values.settings }}
SIMGATE_{{ snakecase $name | upper }}: {{ include "simgate.value" $value | quote }}
{{- end }}
SIMGATE_BUNDLE: {{ include "simgate.bundleFolder" (dict "bundle" $values.bundle "name" "current") }}
{{- if ne $values.previousBundle.source "none" }}
SIMGATE_PREVIOUS_BUNDLE: {{ include "simgate.bundleFolder" (dict "bundle" $values.previousBundle "name" "previous") }}
{{- end }}
{{- if $values.calibrations.existingConfigMap }}
SIMGATE_CALIBRATIONS: /etc/simgate/calibrations
{{- else if $values.calibrations.pvc.claimName }}
{{- $path := $values.calibrations.pvc.path | trimAll "/" }}
SIMGATE_CALIBRATIONS: /etc/simgate/calibrations{{ if $path }}/{{ $path }}{{ end }}
{{- end }}
{{- if $values.tls.enabled }}
SIMGATE_TLS_CERTIFICATE: /etc/simgate/tls/tls.crt
SIMGATE_TLS_KEY: /etc/simgate/tls/tls.key
{{- if $values.tls.clientCA.existingSecret }}
SIMGATE_TLS_CLIENT_CA: /etc/simgate/client-ca/{{ $values.tls.clientCA.key }}
{{- end }}
{{- end }}
SIMGATE_INSECURE: {{ not $values.tls.enabled | quote }}
{{- if $values.apiKeys.existingSecret }}
SIMGATE_API_KEYS: /etc/simgate/keys/{{ $values.apiKeys.key }}
{{- end }}
{{- if $values.shadow.enabled }}
SIMGATE_SHADOW: /var/lib/simgate/shadow.jsonl
SIMGATE_SHADOW_BYTES: {{ include "simgate.value" $values.shadow.bytes | quote }}
{{- end }}
{{- with $values.engine }}
{{- if .type }}
SIMGATE_ENGINE: {{ .type }}
SIMGATE_ENGINE_URL: {{ .url | quote }}
SIMGATE_ENGINE_TIMEOUT: {{ include "simgate.value" .timeout | quote }}
SIMGATE_TEXT_FIELD: {{ .textField | quote }}
SIMGATE_HYBRID_PIPELINE: {{ .hybridPipeline | quote }}
{{- if .index }}
SIMGATE_INDEX: {{ .index | quote }}
{{- end }}
{{- if .indices }}
SIMGATE_ENGINE_INDICES: {{ include "simgate.value" .indices | quote }}
{{- end }}
{{- if .ca.existingSecret }}
SIMGATE_ENGINE_CA: /etc/simgate/engine-ca/{{ .ca.key }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Changes with the ConfigMap: Pods that carry it are replaced. */}}
{{- define "simgate.checksum" -}}
{{- include "simgate.environment" . | trim | sha256sum -}}
{{- end -}}

{{/* "true" for a container that gets a GPU. Takes (dict "root" $ "resources" values). */}}
{{- define "simgate.onGpu" -}}
{{- if and .root.Values.gpu.enabled (hasKey (default dict .resources.limits) .root.Values.gpu.resourceName) -}}true{{- end -}}
{{- end -}}

{{/* `envFrom` and `env` of everything that runs simgate. Takes (dict "root" $ "resources" values). */}}
{{- define "simgate.env" -}}
{{- $root := .root -}}
envFrom:
  - configMapRef:
      name: {{ include "simgate.fullname" $root | quote }}
env:
  - name: HOME
    value: /tmp
  - name: SIMGATE_THREADS
    {{- if dig "limits" "cpu" "" .resources }}
    valueFrom:
      resourceFieldRef:
        resource: limits.cpu
        divisor: "1"
    {{- else }}
    value: "0"
    {{- end }}
  - name: SIMGATE_PROVIDER
    value: {{ ternary $root.Values.gpu.provider "cpu" (eq (include "simgate.onGpu" .) "true") }}
  {{- with $root.Values.engine }}
  {{- if and .type .login.existingSecret }}
  {{- if eq .login.kind "basic" }}
  - name: SIMGATE_ENGINE_USER
    {{- include "simgate.secretKey" (list .login.existingSecret .login.userKey) | nindent 4 }}
  - name: SIMGATE_ENGINE_PASSWORD
    {{- include "simgate.secretKey" (list .login.existingSecret .login.passwordKey) | nindent 4 }}
  {{- else }}
  - name: SIMGATE_ENGINE_API_KEY
    {{- include "simgate.secretKey" (list .login.existingSecret .login.apiKeyKey) | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- with $root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "simgate.secretKey" -}}
valueFrom:
  secretKeyRef:
    name: {{ index . 0 | quote }}
    key: {{ index . 1 | quote }}
{{- end -}}
