{{/* Volumes of the server, and where they are mounted. Secrets are mounted as folders, which follow their changes; a
     subPath would not. */}}

{{/* Takes its size. */}}
{{- define "simgate.tmpVolume" -}}
- name: simgate-tmp
  emptyDir:
    sizeLimit: {{ . }}
{{- end -}}

{{/* Takes (list NAME SECRET [KEY]); all keys without one. */}}
{{- define "simgate.secretVolume" -}}
- name: {{ index . 0 }}
  secret:
    secretName: {{ index . 1 | quote }}
    defaultMode: 0444
    {{- if gt (len .) 2 }}
    items:
      - key: {{ index . 2 | quote }}
        path: {{ index . 2 | quote }}
    {{- end }}
{{- end -}}

{{/* Takes (list NAME FOLDER). */}}
{{- define "simgate.readOnlyMount" -}}
- name: {{ index . 0 }}
  mountPath: {{ index . 1 }}
  readOnly: true
{{- end -}}

{{- define "simgate.tlsSecret" -}}
{{- default (printf "%s-tls" (include "simgate.fullname" .)) .Values.tls.existingSecret -}}
{{- end -}}

{{/* Of what talks to the engine. */}}
{{- define "simgate.engineVolumes" -}}
{{- if and .Values.engine.type .Values.engine.ca.existingSecret }}
{{ include "simgate.secretVolume" (list "simgate-engine-ca" .Values.engine.ca.existingSecret .Values.engine.ca.key) }}
{{- end }}
{{- end -}}

{{- define "simgate.engineMounts" -}}
{{- if and .Values.engine.type .Values.engine.ca.existingSecret }}
{{ include "simgate.readOnlyMount" (list "simgate-engine-ca" "/etc/simgate/engine-ca") }}
{{- end }}
{{- end -}}

{{- define "simgate.volumes" -}}
{{ include "simgate.tmpVolume" .Values.tmp.sizeLimit }}
{{- include "simgate.bundleVolumes" (dict "root" . "previous" true) }}
{{- include "simgate.engineVolumes" . }}
{{- with .Values.calibrations }}
{{- if .existingConfigMap }}
- name: simgate-calibrations
  configMap:
    name: {{ .existingConfigMap | quote }}
{{- else if .pvc.claimName }}
- name: simgate-calibrations
  persistentVolumeClaim:
    claimName: {{ .pvc.claimName | quote }}
    readOnly: true
{{- end }}
{{- end }}
{{- if .Values.apiKeys.existingSecret }}
{{ include "simgate.secretVolume" (list "simgate-keys" .Values.apiKeys.existingSecret .Values.apiKeys.key) }}
{{- end }}
{{- if .Values.tls.enabled }}
{{ include "simgate.secretVolume" (list "simgate-tls" (include "simgate.tlsSecret" .)) }}
{{- with .Values.tls.clientCA }}
{{- if .existingSecret }}
{{ include "simgate.secretVolume" (list "simgate-client-ca" .existingSecret .key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.shadow.enabled }}
- name: simgate-shadow
  emptyDir:
    sizeLimit: {{ include "simgate.value" (addf (mulf 2 .Values.shadow.bytes) 16777216) | quote }}
{{- end }}
{{- end -}}

{{- define "simgate.mounts" -}}
- name: simgate-tmp
  mountPath: /tmp
{{- include "simgate.bundleMounts" (dict "root" . "previous" true) }}
{{- include "simgate.engineMounts" . }}
{{- if or .Values.calibrations.existingConfigMap .Values.calibrations.pvc.claimName }}
{{ include "simgate.readOnlyMount" (list "simgate-calibrations" "/etc/simgate/calibrations") }}
{{- end }}
{{- if .Values.apiKeys.existingSecret }}
{{ include "simgate.readOnlyMount" (list "simgate-keys" "/etc/simgate/keys") }}
{{- end }}
{{- if .Values.tls.enabled }}
{{ include "simgate.readOnlyMount" (list "simgate-tls" "/etc/simgate/tls") }}
{{- if .Values.tls.clientCA.existingSecret }}
{{ include "simgate.readOnlyMount" (list "simgate-client-ca" "/etc/simgate/client-ca") }}
{{- end }}
{{- end }}
{{- if .Values.shadow.enabled }}
- name: simgate-shadow
  mountPath: /var/lib/simgate
{{- end }}
{{- end -}}
