// Package restart has the servers of a model replaced: because somebody asks for that, or because their command is another one
// by now. It finds out whether there is room for one more server meanwhile, and starts that; rollout does it step by step.
package restart
