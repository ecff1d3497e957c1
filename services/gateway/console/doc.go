// Package console is the web page of the gateway: the models with their phases, buttons to start and stop them, and a
// chat box. It is three embedded files, needs nothing from outside, and runs under a policy that allows nothing else. Where the gateway
// wants a key the page asks for it, and keeps it in the tab's session storage alone.
package console
