{{/*
The pod of a run. Takes `root` (the chart's scope), `job` (an entry over the defaults), `arguments`, and `withoutDatabase`
for what works on the lake alone: it gets none of the Secrets and files that belong to reading.
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
# Only --then talks to Kubernetes; IRSA and Pod Identity mount tokens of their own.
automountServiceAccountToken: {{ if .job.then }}true{{ else }}false{{ end }}
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
      {{- if and $values.config (not .withoutDatabase) }}
      - name: config
        mountPath: /etc/project/config
        readOnly: true
      {{- end }}
      {{- if and $values.database.rootCertificate.configMap (not .withoutDatabase) }}
      - name: database-ca
        mountPath: /etc/project/database-ca
        readOnly: true
      {{- end }}
volumes:
  - name: scratch
    emptyDir:
      sizeLimit: {{ .job.scratch }}
  {{- if and $values.config (not .withoutDatabase) }}
  - name: config
    configMap:
      name: {{ include "project.fullname" .root }}
  {{- end }}
  {{- $ca := $values.database.rootCertificate }}
  {{- if and $ca.configMap (not .withoutDatabase) }}
  - name: database-ca
    configMap:
      name: {{ $ca.configMap }}
      items:
        - key: {{ $ca.key }}
          path: {{ $ca.key }}
  {{- end }}
{{- end }}

{{/* What is the same for all runs comes as variables, what one run is about as arguments. */}}
{{- define "project.environment" -}}
{{- $values := .root.Values -}}
{{- $destination := $values.destination -}}
{{- if not .withoutDatabase -}}
{{ include "project.readingEnvironment" $values }}
{{ end -}}
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
{{- if ne (include "project.mode" .root) "catalog" }}
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
{{- end }}
{{- if $destination.s3PathStyle }}
- name: PROJECT_S3_PATH_STYLE
  value: "1"
{{- end }}
- name: PROJECT_SCRATCH
  value: /scratch
- name: PROJECT_LOG_FORMAT
  value: {{ $values.logFormat }}
{{- with .job.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What belongs to reading: the way into the database, what is read of it, and who is told of the run. */}}
{{- define "project.readingEnvironment" -}}
- name: DATABASE_URL
  {{- include "project.fromSecret" .database.secret | nindent 2 }}
{{- if .database.passwordSecret.name }}
- name: PGPASSWORD
  {{- include "project.fromSecret" .database.passwordSecret | nindent 2 }}
{{- end }}
{{- if .sentry.secret.name }}
- name: SENTRY_DSN
  {{- include "project.fromSecret" .sentry.secret | nindent 2 }}
{{- end }}
{{- with .metrics.pushgateway }}
- name: PROJECT_PUSHGATEWAY
  value: {{ . | quote }}
{{- end }}
{{- if .config }}
- name: PROJECT_CONFIG
  value: /etc/project/config/project.toml
{{- end }}
{{- end }}

{{- define "project.fromSecret" -}}
valueFrom:
  secretKeyRef:
    name: {{ .name }}
    key: {{ .key }}
{{- end }}
