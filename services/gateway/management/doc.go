// Package management is the way to the supervisor's management API through the gateway, so that people need one address alone.
package management
