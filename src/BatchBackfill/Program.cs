// The composition root: written with the worker.
return 0;
