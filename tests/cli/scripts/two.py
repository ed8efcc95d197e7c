import multiprocessing, sys, threading

def train(steps):
    import numpy as np
    import keras
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.random.rand(32 * steps, 4), np.random.rand(32 * steps, 1), verbose=0)
    sys.stdout.write(f"trained {steps} steps\n")  # one write: threads print at the same time
    sys.stdout.flush()

if __name__ == "__main__":
    if sys.argv[1] == "thread":
        import keras
        work = [threading.Thread(target=train, args=(n,)) for n in (3, 5)]
    else:
        context = multiprocessing.get_context(sys.argv[1])
        work = [context.Process(target=train, args=(n,)) for n in (3, 5)]
    for one in work: one.start()
    for one in work: one.join()
    sys.exit(sum(abs(getattr(one, "exitcode", 0)) for one in work))
