"""`keras-reid demo` and `keras-reid train`."""

from keras_reid.cli.common import add_command, bad_image_option, data_options, load_dataset, run_options

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    demo = add_command(commands, "demo", _demo, "draw people, train, test on unseen cameras, write a report")
    demo.add_argument("--out", default="runs/demo", help="folder of the run (default: %(default)s)")
    run_options(demo)

    train = add_command(commands, "train", _train, "train a zoo entry by its recipe")
    train.add_argument("name", help="zoo entry; `keras-reid zoo` lists them")
    data_options(train)
    bad_image_option(train)
    train.add_argument("--out", required=True, help="folder of the run: config, log, state, model, report")
    train.add_argument("--weights", help="'imagenet', 'published', a file or an hf:// handle; see keras_reid.zoo.load")
    train.add_argument(
        "--cache", default="memory", help="decoded images: memory, none, or a folder (default: %(default)s)"
    )
    train.add_argument(
        "--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"), help="dtype policy (default: Keras' own)"
    )
    train.add_argument("--identities", type=int, metavar="P", help="identities in a batch (default: the recipe's)")
    train.add_argument("--images", type=int, metavar="K", help="images of each identity (default: the recipe's)")
    train.add_argument(
        "--devices",
        type=int,
        metavar="N",
        help="train on N GPUs of this host, each with its part of the batch (without a GPU: virtual devices)",
    )
    train.add_argument("--tensorboard", action="store_true", help="also write the losses for TensorBoard")
    run_options(train)


def _demo(options) -> int:
    from keras_reid.demo import demo

    demo(options.out, epochs=options.epochs, seed=options.seed, resume=options.resume)
    return 0


def _train(options) -> int:
    import keras

    from keras_reid.run import run

    if options.precision:
        keras.config.set_dtype_policy(options.precision)
    _, reports = run(
        options.name,
        load_dataset(options),
        options.out,
        epochs=options.epochs,
        seed=options.seed,
        weights=options.weights,
        cache=None if options.cache == "none" else options.cache,
        sampler={key: value for key in ("identities", "images") if (value := getattr(options, key)) is not None},
        resume=options.resume,
        on_bad_image=options.on_bad_image,
        tensorboard=options.tensorboard,
        devices=options.devices,
    )
    if not reports:
        return 0  # one of several hosts, and not the one that writes
    for report in reports.values():
        print(report)
    print(f"\nModel, log and report are in {options.out}")
    return 0
