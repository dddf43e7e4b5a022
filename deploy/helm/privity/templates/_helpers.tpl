{{- define "privity.name" -}}
{{- if contains "privity" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-privity" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "privity.selector" -}}
app.kubernetes.io/name: privity
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "privity.labels" -}}
{{ include "privity.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "privity.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{ .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "privity.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "privity.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities: { drop: [ALL] }
{{- end }}

{{- define "privity.scheme" -}}
{{ if .Values.tls.secretName }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}

{{- /* One place for a rule that lets the pods out: to whom, on which port. */}}
{{- define "privity.egress" -}}
- ports: [{ protocol: TCP, port: {{ .port }} }]
{{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "privity.dns" -}}
- ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]
{{- with .Values.networkPolicy.egress.dns }}
  to:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "privity.gitSync" -}}
image: {{ .Values.policies.git.image }}
imagePullPolicy: {{ .Values.policies.git.pullPolicy }}
securityContext:
  {{- include "privity.containerSecurity" . | nindent 2 }}
env:
  - { name: GITSYNC_REPO, value: {{ .Values.policies.git.repository | quote }} }
  - { name: GITSYNC_REF, value: {{ .Values.policies.git.ref | quote }} }
  - { name: GITSYNC_ROOT, value: /git }
  - { name: GITSYNC_LINK, value: current }
  - { name: GITSYNC_DEPTH, value: '1' }
  - { name: GITSYNC_PERIOD, value: {{ .Values.policies.git.period | quote }} }
  # The service reads a set in one go; the folder it reads must not go meanwhile.
  - { name: GITSYNC_STALE_WORKTREE_TIMEOUT, value: 10m }
  - { name: GITSYNC_MAX_FAILURES, value: '-1' }
  - { name: HOME, value: /tmp }
  {{- if .Values.policies.git.credentialsSecretName }}
  {{- if hasPrefix "https://" .Values.policies.git.repository }}
  - { name: GITSYNC_USERNAME, valueFrom: { secretKeyRef: { name: {{ .Values.policies.git.credentialsSecretName }}, key: username } } }
  - { name: GITSYNC_PASSWORD_FILE, value: /run/secrets/git/password }
  {{- else }}
  - { name: GITSYNC_SSH_KEY_FILE, value: /run/secrets/git/ssh }
  - { name: GITSYNC_SSH_KNOWN_HOSTS_FILE, value: /run/secrets/git/known_hosts }
  {{- end }}
  {{- end }}
resources:
  {{- toYaml .Values.policies.git.resources | nindent 2 }}
volumeMounts:
  - { name: policies, mountPath: /git }
  - { name: git-tmp, mountPath: /tmp }
  {{- if .Values.policies.git.credentialsSecretName }}
  - { name: git-credentials, mountPath: /run/secrets/git, readOnly: true }
  {{- end }}
{{- end }}
