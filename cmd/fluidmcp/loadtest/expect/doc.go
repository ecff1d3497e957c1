// Package expect reads what --fail-if takes, such as `ttft_p99 > 500ms`, and judges a run by it.
package expect
