// Package promclient does what prometheus_client for Python does: it holds counters, gauges, histograms and summaries, collects
// what Python tells of its interpreter and its process, and writes all of it in the order, the families and the spelling of numbers
// that scrapers of a Python server see. client_golang has neither the order nor the _created families nor the spelling, and sorts
// where Python does not.
//
//	series.go     families and their label sets
//	process.go    python_ and process_ families
//	text.go       how they are written, float.go how numbers are
//	negotiate.go  the handler that reads Accept
//
// Nothing here locks: who owns the families does.
package promclient
