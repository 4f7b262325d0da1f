{{/* How the chart publishes. All of its entries that publish do it in one mode; the checks see to that. */}}

{{/* catalog, crawler, or nothing when every entry is a rehearsal. */}}
{{- define "project.mode" -}}
{{- $mode := "" -}}
{{- range $entry := .Values.cronjobs -}}
  {{- $own := $entry.publish | default $.Values.defaults.publish -}}
  {{- if and (ne $own "none") (ne $mode "catalog") }}{{ $mode = $own }}{{ end -}}
{{- end -}}
{{- $mode -}}
{{- end }}

{{/* Something, or nothing: a lake that keeps its runs grows every night, one that replaces files does not. */}}
{{- define "project.hasGc" -}}
{{- $enabled := .Values.gc.enabled -}}
{{- if ternary $enabled (eq (include "project.mode" .) "catalog") (kindIs "bool" $enabled) }}yes{{ end -}}
{{- end }}

{{/* The CronJobs that entries start when they have gone well, as JSON; nothing if there are none. */}}
{{- define "project.followUps" -}}
{{- $names := list -}}
{{- range .Values.cronjobs -}}
  {{- with .then }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{- if $names }}{{ $names | uniq | sortAlpha | toJson }}{{ end -}}
{{- end }}
