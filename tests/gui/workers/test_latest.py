"""Work beside the window, of which only the latest counts."""

import threading
import time

import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_comparewarp.gui.workers.latest import Latest


@pytest.fixture
def latest(qtbot):
    made = Latest()
    answers = made.answers = []
    made.done.connect(answers.append)
    yield made
    made.cancel()


def test_what_the_work_returns_comes_back_in_the_main_thread(latest, qtbot):
    threads = []
    latest.done.connect(lambda _: threads.append(threading.current_thread()))
    latest.start(lambda progress: threading.current_thread())
    assert latest.busy
    qtbot.waitUntil(lambda: not latest.busy)
    assert threads == [threading.main_thread()]
    assert latest.answers != threads


def test_of_much_that_is_asked_for_only_the_latest_comes_back(latest, qtbot, settle):
    for number in range(50):
        latest.start(lambda progress, number=number: number)
    qtbot.waitUntil(lambda: not latest.busy)
    settle(latest)
    assert latest.answers == [49]


def test_a_report_of_progress_stops_what_is_overtaken(latest, qtbot):
    began, go_on, ended = threading.Event(), threading.Event(), []

    def slow(progress):
        began.set()
        go_on.wait(10)
        progress("slow", 1, 2)
        ended.append("slow")

    latest.start(slow)
    assert began.wait(10)
    latest.start(lambda progress: "quick")
    go_on.set()
    qtbot.waitUntil(lambda: not latest.busy)
    assert (latest.answers, ended) == (["quick"], [])


def test_progress_is_told(latest, qtbot):
    with qtbot.waitSignal(latest.progressed) as told:
        latest.start(lambda progress: progress("counting", 3, 7))
    assert told.args == ["counting", 3, 7]


def test_an_error_is_told_in_one_line(latest, qtbot):
    def fail(progress):
        raise ValueError("no such pixel\nand more")

    with qtbot.waitSignal(latest.failed) as told:
        latest.start(fail)
    assert told.args == ["no such pixel"]
    assert not latest.busy


def test_what_is_cancelled_does_not_come_back(latest, settle):
    go_on = threading.Event()
    latest.start(lambda progress: go_on.wait(10))
    latest.cancel()
    assert not latest.busy
    go_on.set()
    settle(latest)
    assert latest.answers == []


def test_a_window_that_closes_in_the_middle_leaves_no_thread(qtbot):
    began, go_on = threading.Event(), threading.Event()

    def work(progress):
        began.set()
        go_on.wait(10)

    before = threading.active_count()
    latest = Latest()
    latest.start(work)
    assert began.wait(10)
    latest.deleteLater()
    qtbot.waitUntil(lambda: not isalive(latest))
    go_on.set()
    qtbot.waitUntil(lambda: threading.active_count() == before)


def test_a_window_that_is_destroyed_while_work_reports_ends_it_and_nothing_else(qtbot):
    def tell(progress):
        while True:
            progress("telling", 0, 1)
            time.sleep(0)

    for _ in range(5):
        window = QWidget()
        works = [Latest(window) for _ in range(3)]
        for work in works:
            work.start(tell)
        qtbot.wait(5)
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        threads = [thread for work in works for thread in work._pool._threads]
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
