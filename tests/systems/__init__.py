"""
The five systems, each as a small project on the real libraries that it stands on.

- `src`: what is served: `project` is what all five share, and one package a system holds its settings.
- `catalogue`: which system is which. `environments`: what they pin, where the newest is not meant.
- `workshop` makes projects; `running` is one with all of its processes, and what each of them printed; `outside` is
  whom they talk to.
- `visit` and `killing` are what happens to them.
- `comparison`: what was printed beside what arrived.

`python -m tests.systems` prints a row of figures for each.
"""
