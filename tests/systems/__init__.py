"""
The five systems, each as a small project on the real libraries that it stands on.

- `src`: what is served: `project` is what all five share, and one package a system holds its settings.
- `catalogue`: which system is which, and what it runs.
- `servers`: uWSGI, Celery, Redis, and whom the projects talk to.
- `running`: one project with all of its processes, and what each process printed.
- `comparison`: what was printed beside what arrived.
"""
