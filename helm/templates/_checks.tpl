{{/*
What the schema cannot say: it knows single values, this knows how they go together, and it says in words what a pattern
could only show. All mistakes are told at once.
*/}}

{{- define "project.check" -}}
{{- $mistakes := list -}}
{{- $names := list -}}
{{- $publishes := false -}}
{{- range $index, $entry := .Values.cronjobs -}}
  {{- $where := printf "cronjobs[%d] (%s)" $index $entry.name -}}
  {{- if has $entry.name $names -}}
    {{- $mistakes = append $mistakes (printf "%s: another entry has this name; give each its own" $where) -}}
  {{- end -}}
  {{- $names = append $names $entry.name -}}
  {{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $entry.name) -}}
    {{- $mistakes = append $mistakes (printf "%s: a name has lower-case letters, digits and dashes only, as in stream-tasks" $where) -}}
  {{- end -}}
  {{- $full := printf "%s-%s" (include "project.fullname" $) $entry.name -}}
  {{- if gt (len $full) 52 -}}
    {{- $mistakes = append $mistakes (printf "%s: %s has %d characters and a CronJob's name at most 52; shorten it" $where $full (len $full)) -}}
  {{- end -}}
  {{- if not (regexMatch "^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[-0-9A-Za-z*/,]+( [-0-9A-Za-z*/,]+){4})$" $entry.schedule) -}}
    {{- $mistakes = append $mistakes (printf "%s: schedule %q is not a cron expression of five fields, as in 15 2 * * *" $where $entry.schedule) -}}
  {{- end -}}
  {{- $publishes = or $publishes (ne ($entry.publish | default $.Values.defaults.publish) "none") -}}
  {{- $mistakes = concat $mistakes (include "project.checkJob" (dict "job" $entry "where" $where) | fromJsonArray) -}}
{{- end -}}
{{- $mistakes = concat $mistakes (include "project.checkJob" (dict "job" .Values.defaults "where" "defaults") | fromJsonArray) -}}
{{- $destination := .Values.destination -}}
{{- if $publishes -}}
  {{- range $key := list "glueDatabase" "crawler" -}}
    {{- if not (get $destination $key) -}}
      {{- $mistakes = append $mistakes (printf "destination.%s is empty, and what is published to s3:// is catalogued by a Glue crawler; name it, or set publish: none" $key) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if $mistakes -}}
{{- fail (printf "\n\nthese values cannot work:\n  - %s\n" (join "\n  - " $mistakes)) -}}
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
