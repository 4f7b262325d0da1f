{{/*
What the schema cannot say: it knows single values, this knows how they go together, and it says in words what a pattern
could only show. All mistakes are told at once.
*/}}

{{- define "project.check" -}}
{{- $mistakes := list -}}
{{- $names := list -}}
{{- $mode := include "project.mode" . -}}
{{- $first := "" -}}
{{- range $index, $entry := .Values.cronjobs -}}
  {{- $where := printf "cronjobs[%d] (%s)" $index $entry.name -}}
  {{- if has $entry.name $names -}}
    {{- $mistakes = append $mistakes (printf "%s: another entry has this name; give each its own" $where) -}}
  {{- end -}}
  {{- $names = append $names $entry.name -}}
  {{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $entry.name) -}}
    {{- $mistakes = append $mistakes (printf "%s: a name has lower-case letters, digits and dashes only, as in stream-tasks" $where) -}}
  {{- end -}}
  {{- if and (eq $entry.name "gc") (include "project.hasGc" $) -}}
    {{- $mistakes = append $mistakes (printf "%s: gc is the name of the CronJob that the value gc makes; choose another" $where) -}}
  {{- end -}}
  {{- $full := printf "%s-%s" (include "project.fullname" $) $entry.name -}}
  {{- if gt (len $full) 52 -}}
    {{- $mistakes = append $mistakes (printf "%s: %s has %d characters and a CronJob's name at most 52; shorten it" $where $full (len $full)) -}}
  {{- end -}}
  {{- $mistakes = concat $mistakes (include "project.checkSchedule" (dict "schedule" $entry.schedule "where" $where) | fromJsonArray) -}}
  {{- $own := $entry.publish | default $.Values.defaults.publish -}}
  {{- if ne $own "none" -}}
    {{- $first = $first | default (printf "%s has publish: %s" $where $own) -}}
    {{- if not (hasSuffix (printf "publish: %s" $own) $first) -}}
      {{- $mistakes = append $mistakes (printf "%s: publish: %s, but %s, and a destination keeps its mode; what publishes in another mode needs another destination.upload, and so a release of its own" $where $own $first) -}}
    {{- end -}}
  {{- end -}}
  {{- $mistakes = concat $mistakes (include "project.checkJob" (dict "job" $entry "where" $where) | fromJsonArray) -}}
  {{- $longest := $entry.activeDeadlineSeconds | default $.Values.defaults.activeDeadlineSeconds | int64 -}}
  {{- $mistakes = concat $mistakes (include "project.checkThen" (dict "job" $entry "where" $where "longest" $longest "publish" $own) | fromJsonArray) -}}
{{- end -}}
{{- if and (include "project.followUps" .) (eq (include "project.serviceAccountName" .) "default") -}}
  {{- $mistakes = append $mistakes "an entry has then, and its rights would be those of every pod that has the service account default; set serviceAccount.create or name another one" -}}
{{- end -}}
{{- $mistakes = concat $mistakes (include "project.checkJob" (dict "job" .Values.defaults "where" "defaults") | fromJsonArray) -}}
{{- $destination := .Values.destination -}}
{{- if and $mode (not $destination.glueDatabase) -}}
  {{- $mistakes = append $mistakes "destination.glueDatabase is empty, and every table that is published to s3:// stands in a Glue database; name it, or set publish: none" -}}
{{- end -}}
{{- if and (eq $mode "crawler") (not $destination.crawler) -}}
  {{- $mistakes = append $mistakes "destination.crawler is empty, and with publish: crawler a Glue crawler catalogues what is published; name it, or set publish: catalog or none" -}}
{{- end -}}
{{- if include "project.hasGc" . -}}
  {{- $mistakes = concat $mistakes (include "project.checkGc" . | fromJsonArray) -}}
{{- end -}}
{{- if $mistakes -}}
{{- fail (printf "\n\nthese values cannot work:\n  - %s\n" (join "\n  - " $mistakes)) -}}
{{- end -}}
{{- end }}

{{/* The mistakes of the value gc, as JSON. */}}
{{- define "project.checkGc" -}}
{{- $gc := .Values.gc -}}
{{- $mistakes := include "project.checkSchedule" (dict "schedule" $gc.schedule "where" "gc") | fromJsonArray -}}
{{- $mistakes = concat $mistakes (include "project.checkJob" (dict "job" $gc "where" "gc") | fromJsonArray) -}}
{{- /* The program's own, when the value is empty. */ -}}
{{- $grace := $gc.grace | default "3d" -}}
{{- $seconds := include "project.seconds" $grace | int64 -}}
{{- range $index, $entry := .Values.cronjobs -}}
  {{- $longest := $entry.activeDeadlineSeconds | default $.Values.defaults.activeDeadlineSeconds | int64 -}}
  {{- if and (ne ($entry.publish | default $.Values.defaults.publish) "none") (ge $longest $seconds) -}}
    {{- $mistakes = append $mistakes (printf "cronjobs[%d] (%s): activeDeadlineSeconds is %d, and after gc.grace (%v) gc takes a run for dead and removes what it has written; make gc.grace longer than the longest run" $index $entry.name $longest (ternary $grace (int64 $grace) (kindIs "string" $grace))) -}}
  {{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{/* The mistakes of what an entry starts afterwards, as JSON. Takes its deadline as `longest`, its mode as `publish`. */}}
{{- define "project.checkThen" -}}
{{- $mistakes := list -}}
{{- if and .job.then (eq .publish "none") -}}
  {{- $mistakes = append $mistakes (printf "%s: with publish: none nothing is published that the Job of then could follow" .where) -}}
{{- end -}}
{{- if and .job.thenTimeout (not .job.then) -}}
  {{- $mistakes = append $mistakes (printf "%s: thenTimeout says nothing without then" .where) -}}
{{- end -}}
{{- /* The program's own, when the value is empty. */ -}}
{{- $timeout := .job.thenTimeout | default "1h" -}}
{{- if and .job.then (ge (include "project.seconds" $timeout | int64) .longest) -}}
  {{- $mistakes = append $mistakes (printf "%s: activeDeadlineSeconds is %d, and would end the run before thenTimeout (%v) has passed" .where .longest (ternary $timeout (int64 $timeout) (kindIs "string" $timeout))) -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{/* The mistakes of a schedule, as JSON. */}}
{{- define "project.checkSchedule" -}}
{{- $mistakes := list -}}
{{- if not (regexMatch "^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[-0-9A-Za-z*/,]+( [-0-9A-Za-z*/,]+){4})$" .schedule) -}}
  {{- $mistakes = append $mistakes (printf "%s: schedule %q is not a cron expression of five fields, as in 15 2 * * *" .where .schedule) -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{/* 600, 90s, 10m, 36h or 7d in seconds. */}}
{{- define "project.seconds" -}}
{{- if kindIs "string" . -}}
  {{- $units := dict "s" 1 "m" 60 "h" 3600 "d" 86400 -}}
  {{- mul (regexFind "^[0-9]+" . | int64) (get $units (regexFind "[smhd]$" .) | default 1 | int64) -}}
{{- else -}}
  {{- int64 . -}}
{{- end -}}
{{- end }}

{{/* The mistakes of an entry or of the defaults, as JSON. */}}
{{- define "project.checkJob" -}}
{{- $mistakes := list -}}
{{- $where := .where -}}
{{- $job := .job -}}
{{- range $key := list "from" "to" -}}
  {{- $date := get $job $key | default "" -}}
  {{- if and $date (not (regexMatch "^([0-9]{4}-[0-9]{2}-[0-9]{2}|today|yesterday|-[0-9]{1,5}d)$" $date)) -}}
    {{- $mistakes = append $mistakes (printf "%s: %s %q is not a date; write \"2026-01-31\", today, yesterday or \"-7d\", with the quotes" $where $key $date) -}}
  {{- end -}}
{{- end -}}
{{- /* Only dates of one kind can be compared here; the program compares all of them. */ -}}
{{- $dated := and (regexMatch "^[0-9]" ($job.from | default "")) (regexMatch "^[0-9]" ($job.to | default "")) -}}
{{- if and $dated (gt $job.from $job.to) -}}
  {{- $mistakes = append $mistakes (printf "%s: from %s is after to %s, so that there is no date to read" $where $job.from $job.to) -}}
{{- end -}}
{{- range $argument := $job.args | default list -}}
  {{- if not (hasPrefix "-" $argument) -}}
    {{- $mistakes = append $mistakes (printf "%s: an argument begins with a dash; the database's URI belongs into the Secret of database.secret, everything else has a flag" $where) -}}
  {{- end -}}
{{- end -}}
{{- range $variable := $job.env | default list -}}
  {{- if and (has $variable.name (list "DATABASE_URL" "PGPASSWORD" "SENTRY_DSN" "AWS_SECRET_ACCESS_KEY" "AWS_SESSION_TOKEN")) (hasKey $variable "value") -}}
    {{- $mistakes = append $mistakes (printf "%s: the variable %s is a secret; take it from a Secret (valueFrom.secretKeyRef)" $where $variable.name) -}}
  {{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}
