import sys

from keras_reid.progress import progress_line


def test_a_terminal_sees_one_line_that_counts_up(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    show = progress_line("Drawing")
    for done in range(1, 1001):
        show(done, 1000)
    written = capsys.readouterr().out
    assert written.count("\r") == 100
    assert written.endswith("\rDrawing 100 %\n")


def test_steps_that_are_no_percents_are_shown_too(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    show = progress_line("Enrolling")
    for done in (256, 512, 768, 1000):
        show(done, 1000)
    assert capsys.readouterr().out == "\rEnrolling  25 %\rEnrolling  51 %\rEnrolling  76 %\rEnrolling 100 %\n"


def test_a_log_sees_nothing(capsys):
    progress_line("Drawing")(5, 5)
    assert capsys.readouterr().out == ""
