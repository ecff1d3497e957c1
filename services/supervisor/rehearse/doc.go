// Package rehearse makes of a plan for GPUs and other machines one that needs neither: mocks have the place of every vLLM.
package rehearse
