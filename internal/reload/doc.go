// Package reload keeps what was read from files in step with them.
//
//	w, err := reload.New(ring.load, path)        // loads; a program does not start with a broken file
//	go w.Run(ctx, reload.Every, func(err error)  // until ctx ends; wait for it
//	w.Reload()                                   // now, as on SIGHUP
//
// The contents are polled, not the file system's events: a ConfigMap or Secret of Kubernetes changes by a symbolic link of a
// folder above, editors rename a new file over the old one, and network file systems send no events. Whatever happened, the
// bytes under the path differ, or else the time when they were written: the loader may have put something else in force meanwhile,
// and what is written once more is wanted again.
//
// A loader that fails leaves in force what it loaded before; the failure is reported once for each version of the files.
package reload
