{{/*
A CronJob. Takes `root` (the chart's scope), `job` (an entry over the defaults) and `arguments`, and what the pod takes.
*/}}

{{- define "project.cronJob" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "project.fullname" .root }}-{{ .job.name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "project.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .job.name }}
spec:
  schedule: {{ .job.schedule | quote }}
  timeZone: {{ .job.timeZone | quote }}
  suspend: {{ .job.suspend }}
  # Of two at the same time one would work for nothing.
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {{ .job.startingDeadlineSeconds | int64 }}
  successfulJobsHistoryLimit: {{ .root.Values.history.successful | int64 }}
  failedJobsHistoryLimit: {{ .root.Values.history.failed | int64 }}
  jobTemplate:
    metadata:
      labels:
        {{- include "project.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .job.name }}
    spec:
      backoffLimit: {{ .job.backoffLimit | int64 }}
      activeDeadlineSeconds: {{ .job.activeDeadlineSeconds | int64 }}
      # The first rule that matches decides; what matches none counts towards backoffLimit.
      podFailurePolicy:
        rules:
          # The node goes away, or somebody more important needs it: no fault of the run.
          - action: Ignore
            onPodConditions:
              - type: DisruptionTarget
                status: "True"
          # Usage, data or schema, internal, permission, configuration (and 101, a panic that nobody caught): the
          # next try would end as this one did.
          - action: FailJob
            onExitCodes:
              containerName: project
              operator: In
              values: [2, 65, 70, 77, 78, 101]
          # Not reachable, local disk, temporary: these may pass.
          - action: Count
            onExitCodes:
              containerName: project
              operator: In
              values: [69, 74, 75]
      template:
        metadata:
          {{- include "project.podMetadata" . | nindent 10 }}
        spec:
          {{- include "project.podSpec" . | nindent 10 }}
{{- end }}

{{/* What an entry says over the defaults, as JSON. Key by key: merge functions take false and 0 for absent. */}}
{{- define "project.job" -}}
{{- $job := deepCopy .defaults -}}
{{- range $key, $value := .entry }}{{ $_ := set $job $key $value }}{{ end -}}
{{- toJson $job -}}
{{- end }}
