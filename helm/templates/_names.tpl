{{/* Names and labels. Selectors never change with values but the two name overrides: they are immutable. */}}

{{- define "simgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters, so that every suffix fits in 63, and a Job's in the names of its Pods. */}}
{{- define "simgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "simgate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "simgate.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "simgate.instanceLabels" -}}
app.kubernetes.io/name: {{ include "simgate.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "simgate.labels" -}}
{{ include "simgate.instanceLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What the Services select: the Deployment's Pods, or those of a parent chart that carry simgate.podLabels. */}}
{{- define "simgate.selectorLabels" -}}
{{- if eq .Values.mode "sidecar" -}}
simgate/sidecar: {{ include "simgate.fullname" . | quote }}
{{- else -}}
{{ include "simgate.instanceLabels" . }}
app.kubernetes.io/component: server
{{- end -}}
{{- end -}}

{{- define "simgate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "simgate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "simgate.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The Service that Prometheus scrapes, whose name is the label `job`. */}}
{{- define "simgate.job" -}}
{{- include "simgate.fullname" . }}{{ if eq .Values.mode "sidecar" }}-headless{{ end -}}
{{- end -}}

{{/* "true" where the engine calls simgate: by the connectors that the Job of templates makes. */}}
{{- define "simgate.called" -}}
{{- if and .Values.templates.enabled (ne .Values.templates.sidecar "none") -}}true{{- end -}}
{{- end -}}

{{/* What talks to the ordinary Service calls it so; in mode sidecar Prometheus knows the headless one alone. */}}
{{- define "simgate.host" -}}
{{- include "simgate.job" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{- define "simgate.scheme" -}}
{{- if .Values.tls.enabled -}}https{{- else -}}http{{- end -}}
{{- end -}}
