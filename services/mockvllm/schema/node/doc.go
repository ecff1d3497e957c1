// Package node is what all validators share: what they are, and the run over them with its faults and its exactness.
package node
