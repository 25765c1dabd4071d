{{/* Bundles: the volumes they lie in, where those are mounted, and who fetches them. */}}

{{/* Bundles by the name of their folder; the previous one only for who judges. Takes (dict "root" $ "previous" bool). */}}
{{- define "simgate.bundles" -}}
current: {{ toJson .root.Values.bundle }}
{{- if and .previous (ne .root.Values.previousBundle.source "none") }}
previous: {{ toJson .root.Values.previousBundle }}
{{- end }}
{{- end -}}

{{- define "simgate.bundleVolumes" -}}
{{- range $name, $bundle := include "simgate.bundles" . | fromYaml }}
{{- if eq $bundle.source "oci" }}
- name: simgate-bundle-{{ $name }}
  image:
    reference: {{ $bundle.oci.reference | quote }}
    pullPolicy: {{ $bundle.oci.pullPolicy }}
{{- else if eq $bundle.source "fetch" }}
- name: simgate-bundle-{{ $name }}
  emptyDir:
    sizeLimit: {{ $bundle.fetch.sizeLimit }}
{{- else if eq $bundle.source "pvc" }}
- name: simgate-bundle-{{ $name }}
  persistentVolumeClaim:
    claimName: {{ $bundle.pvc.claimName | quote }}
    readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "simgate.bundleMounts" -}}
{{- range $name, $bundle := include "simgate.bundles" . | fromYaml }}
{{- if ne $bundle.source "image" }}
- name: simgate-bundle-{{ $name }}
  mountPath: /bundles/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "simgate.bundleContainers" -}}
{{- $root := .root -}}
{{- range $name, $bundle := include "simgate.bundles" . | fromYaml }}
{{- if eq $bundle.source "fetch" }}
- name: simgate-bundle-{{ $name }}
  image: {{ include "simgate.image" $root | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args: [bundle, fetch, {{ $bundle.fetch.url | quote }}, --sha256, {{ $bundle.fetch.sha256 | quote }}, --output, {{ include "simgate.bundleFolder" (dict "bundle" $bundle "name" $name) }}]
  env:
    - name: HOME
      value: /tmp
    {{- with $root.Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "simgate.securityContext" $root | nindent 2 }}
  resources:
    {{- toYaml $root.Values.resources | nindent 4 }}
  volumeMounts:
    - name: simgate-tmp
      mountPath: /tmp
    - name: simgate-bundle-{{ $name }}
      mountPath: /bundles/{{ $name }}
{{- end }}
{{- end }}
{{- end -}}
