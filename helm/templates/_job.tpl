{{/* What Jobs share: a Pod that runs one command and gets the bundle, /tmp and the engine's authority. */}}

{{/* The Pod's spec but for its containers. Takes (dict "root" $ "resources" values "restart" policy). */}}
{{- define "simgate.jobPod" -}}
{{- $gpu := eq (include "simgate.onGpu" .) "true" -}}
restartPolicy: {{ .restart }}
{{- with .root }}
serviceAccountName: {{ include "simgate.serviceAccountName" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "simgate.pullSecrets" . }}
{{ include "simgate.podSecurityContext" . }}
{{- with include "simgate.nodes" (list . $gpu) | trim }}
{{ . }}
{{- end }}
{{- with include "simgate.bundleContainers" (dict "root" . "previous" false) | trim }}
initContainers:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes (list ROOT SIZE), the size of /tmp. */}}
{{- define "simgate.jobVolumes" -}}
{{ include "simgate.tmpVolume" (index . 1) }}
{{- include "simgate.bundleVolumes" (dict "root" (index . 0) "previous" false) }}
{{- include "simgate.engineVolumes" (index . 0) }}
{{- end -}}

{{- define "simgate.jobMounts" -}}
- name: simgate-tmp
  mountPath: /tmp
{{- include "simgate.bundleMounts" (dict "root" . "previous" false) }}
{{- include "simgate.engineMounts" . }}
{{- end -}}

{{- define "simgate.jobLabels" -}}
{{ include "simgate.instanceLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* A Job's spec cannot be changed: each revision has one of its own, whatever values it has. */}}
{{- define "simgate.jobName" -}}
{{ include "simgate.fullname" (index . 0) }}-{{ index . 1 }}-{{ (index . 0).Release.Revision }}
{{- end -}}
