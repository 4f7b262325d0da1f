{{/*
The pod of a run. Takes `root` (the chart's scope), `job` (an entry over the defaults) and `arguments`.
It meets the Pod Security Standard "restricted".
*/}}

{{- define "project.podMetadata" -}}
labels:
  {{- include "project.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .job.name }}
{{- with .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "project.podSpec" -}}
{{- $values := .root.Values -}}
restartPolicy: Never
serviceAccountName: {{ include "project.serviceAccountName" .root }}
# The program never talks to Kubernetes; IRSA and Pod Identity mount tokens of their own.
automountServiceAccountToken: false
# Else every Service of the namespace would become a variable, and one named project-... would pass for a setting.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .job.terminationGracePeriodSeconds | int64 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: project
    image: {{ include "project.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args:
      {{- toYaml .arguments | nindent 6 }}
    env:
      {{- include "project.environment" . | nindent 6 }}
    # Relative paths lead to where writing is allowed.
    workingDir: /scratch
    resources:
      {{- toYaml .job.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: scratch
        mountPath: /scratch
      {{- if $values.config }}
      - name: config
        mountPath: /etc/project/config
        readOnly: true
      {{- end }}
      {{- if $values.database.rootCertificate.configMap }}
      - name: database-ca
        mountPath: /etc/project/database-ca
        readOnly: true
      {{- end }}
volumes:
  - name: scratch
    emptyDir:
      sizeLimit: {{ .job.scratch }}
  {{- if $values.config }}
  - name: config
    configMap:
      name: {{ include "project.fullname" .root }}
  {{- end }}
  {{- with $values.database.rootCertificate }}
  {{- if .configMap }}
  - name: database-ca
    configMap:
      name: {{ .configMap }}
      items:
        - key: {{ .key }}
          path: {{ .key }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* What is the same for all runs comes as variables, what one run is about as arguments. */}}
{{- define "project.environment" -}}
{{- $values := .root.Values -}}
{{- $destination := $values.destination -}}
- name: DATABASE_URL
  {{- include "project.fromSecret" $values.database.secret | nindent 2 }}
{{- if $values.database.passwordSecret.name }}
- name: PGPASSWORD
  {{- include "project.fromSecret" $values.database.passwordSecret | nindent 2 }}
{{- end }}
{{- if $values.sentry.secret.name }}
- name: SENTRY_DSN
  {{- include "project.fromSecret" $values.sentry.secret | nindent 2 }}
{{- end }}
{{- with $values.metrics.pushgateway }}
- name: PROJECT_PUSHGATEWAY
  value: {{ . | quote }}
{{- end }}
- name: PROJECT_UPLOAD
  value: {{ $destination.upload | quote }}
{{- with $destination.region }}
- name: PROJECT_REGION
  value: {{ . | quote }}
{{- end }}
{{- with $destination.glueDatabase }}
- name: PROJECT_GLUE_DATABASE
  value: {{ . | quote }}
{{- end }}
{{- with $destination.crawler }}
- name: PROJECT_CRAWLER
  value: {{ . | quote }}
{{- end }}
{{- with $destination.crawlerRole }}
- name: PROJECT_CRAWLER_ROLE
  value: {{ . | quote }}
{{- end }}
- name: PROJECT_CRAWLER_TIMEOUT
  value: {{ $destination.crawlerTimeout | quote }}
{{- if not $destination.waitForCrawler }}
- name: PROJECT_NO_WAIT_CRAWLER
  value: "1"
{{- end }}
{{- if $destination.s3PathStyle }}
- name: PROJECT_S3_PATH_STYLE
  value: "1"
{{- end }}
- name: PROJECT_SCRATCH
  value: /scratch
- name: PROJECT_LOG_FORMAT
  value: {{ $values.logFormat }}
{{- if $values.config }}
- name: PROJECT_CONFIG
  value: /etc/project/config/project.toml
{{- end }}
{{- with .job.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "project.fromSecret" -}}
valueFrom:
  secretKeyRef:
    name: {{ .name }}
    key: {{ .key }}
{{- end }}
