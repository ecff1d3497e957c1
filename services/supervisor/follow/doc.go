// Package follow sends server-sent events to somebody who follows something, until there will be no more.
package follow
