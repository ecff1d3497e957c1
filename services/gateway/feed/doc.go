// Package feed follows the supervisor: each snapshot of the fleet goes to the router, and heartbeats go back that tell which one is
// in force and how many requests each backend has. When the supervisor is gone the last snapshot stays in force.
package feed
