{{/* Offline encoding: the command, its claims and its container's parts, for the Job, the CronJob and the RayJob. */}}

{{- define "simgate.encodeArgs" -}}
{{- $encode := .Values.encode -}}
{{- $index := default .Values.engine.index $encode.index -}}
{{- $args := list -}}
{{- if eq $encode.task "update" -}}
{{- $args = list "index" "--update-existing" "--index" $index -}}
{{- else -}}
{{- $args = list (ternary "index" "encode" (eq $encode.task "index")) -}}
{{- range $encode.corpus.paths -}}
{{- $args = append $args (ternary . (printf "/corpus/%s" (trimAll "/" .)) (contains "://" .)) -}}
{{- end -}}
{{- if eq $encode.task "index" -}}
{{- $args = concat $args (list "--index" $index) -}}
{{- else -}}
{{- $args = concat $args (list "--output" (ternary $encode.output.path (printf "/output/%s" (trimAll "/" $encode.output.path)) (contains "://" $encode.output.path))) -}}
{{- end -}}
{{- end -}}
{{- if $encode.ray.enabled -}}
{{- $args = concat $args (list "--runner" "ray" "--address" "auto" "--workers" (int $encode.ray.workers | toString)) -}}
{{- end -}}
{{- concat $args $encode.args | toJson -}}
{{- end -}}

{{/* The same as one line for a shell: each argument in single quotes. */}}
{{- define "simgate.encodeLine" -}}
/opt/simgate/venv/bin/simgate
{{- range include "simgate.encodeArgs" . | fromJsonArray }} '{{ replace "'" "'\\''" . }}'{{ end }}
{{- end -}}

{{- define "simgate.encodeVolumes" -}}
{{ include "simgate.jobVolumes" (list . .Values.encode.tmp.sizeLimit) }}
{{- $encode := .Values.encode }}
{{- if and (ne $encode.task "update") $encode.corpus.claimName }}
- name: corpus
  persistentVolumeClaim:
    claimName: {{ $encode.corpus.claimName | quote }}
    readOnly: true
{{- end }}
{{- if and (eq $encode.task "files") $encode.output.claimName }}
- name: output
  persistentVolumeClaim:
    claimName: {{ $encode.output.claimName | quote }}
{{- end }}
- name: state
  {{- if $encode.state.claimName }}
  persistentVolumeClaim:
    claimName: {{ $encode.state.claimName | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: 64Mi
  {{- end }}
{{- end -}}

{{- define "simgate.encodeMounts" -}}
{{ include "simgate.jobMounts" . }}
{{- if and (ne .Values.encode.task "update") .Values.encode.corpus.claimName }}
{{ include "simgate.readOnlyMount" (list "corpus" "/corpus") }}
{{- end }}
{{- if and (eq .Values.encode.task "files") .Values.encode.output.claimName }}
- name: output
  mountPath: /output
{{- end }}
- name: state
  mountPath: /state
{{- end -}}

{{/* Checkpoints go to the folder of state. Takes what simgate.env takes. */}}
{{- define "simgate.encodeEnv" -}}
{{ include "simgate.env" . }}
  - name: XDG_STATE_HOME
    value: /state
{{- end -}}

{{- define "simgate.encodeJobSpec" -}}
backoffLimit: {{ .Values.encode.backoffLimit }}
ttlSecondsAfterFinished: {{ .Values.encode.ttlSecondsAfterFinished }}
template:
  metadata:
    labels:
      {{- include "simgate.jobLabels" (list . "encode") | nindent 6 }}
  spec:
    {{- include "simgate.jobPod" (dict "root" . "resources" .Values.encode.resources "restart" "OnFailure") | nindent 4 }}
    containers:
      - name: encode
        image: {{ include "simgate.image" . | quote }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        args: {{ include "simgate.encodeArgs" . }}
        {{- include "simgate.encodeEnv" (dict "root" . "resources" .Values.encode.resources) | nindent 8 }}
        {{- include "simgate.securityContext" . | nindent 8 }}
        resources:
          {{- toYaml .Values.encode.resources | nindent 10 }}
        volumeMounts:
          {{- include "simgate.encodeMounts" . | trim | nindent 10 }}
    volumes:
      {{- include "simgate.encodeVolumes" . | trim | nindent 6 }}
{{- end -}}
