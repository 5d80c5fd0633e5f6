"""The events of tensorboard_test.c as the Python package tensorboard writes them.

    pip install tensorboard; python events.py write >tensorboard.events
    python events.py read FOLDER       # what TensorBoard's own reader finds in a model's folder
"""
import sys

from tensorboard.compat.proto import event_pb2, summary_pb2


def write(out):
    from tensorboard.summary.writer.record_writer import RecordWriter
    writer = RecordWriter(out)

    def put(**fields):
        writer.write(event_pb2.Event(**fields).SerializeToString())

    def scalars(wall_time, step, **values):
        summary = summary_pb2.Summary(value=[
            summary_pb2.Summary.Value(tag=tag.replace("__", "/"), simple_value=value) for tag, value in values.items()])
        put(wall_time=wall_time, step=step, summary=summary)

    put(wall_time=1700000000.25, file_version="brain.Event:2")
    put(wall_time=1700000000.5, step=1, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))
    scalars(1700000001, 50, train__epoch=0, train__seconds=1.5, train__loss=4.25, train__rate=0.0005)
    scalars(1700000002, 100000, train__epoch=3, valid__nll=2.125, valid__bleu=31.5)


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    for tag in sorted(events.Tags()["scalars"]):
        for event in events.Scalars(tag):
            print(tag, event.step, "%.6g" % event.value, sep="\t")


if sys.argv[1] == "write":
    write(sys.stdout.buffer)
else:
    read(sys.argv[2])
