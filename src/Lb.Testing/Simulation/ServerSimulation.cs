namespace Lb.Testing;

/// <summary>One server while a simulation runs: its queue, its workers and its speed. Not thread-safe.</summary>
internal sealed class ServerSimulation(SimulatedServer options, int balancers, ulong seed)
{
    private readonly Queue<int> _waiting = new();
    private readonly ServerCondition[] _conditions = [.. options.Conditions];
    private readonly bool[] _seen = new bool[balancers];
    private int _busy;
    private int _here;

    public int Requests { get; private set; }

    public int Errors { get; private set; }

    public int Peak { get; private set; }

    public int Balancers => _seen.AsSpan().Count(true);

    /// <summary>A request was sent here.</summary>
    public void Picked(int balancer, bool counts)
    {
        _seen[balancer] = true;
        if (counts) Requests++;
    }

    /// <summary>A request has come. True when a worker is free for it.</summary>
    public bool Enter(int request)
    {
        Peak = Math.Max(Peak, ++_here);
        if (_busy < options.Workers)
        {
            _busy++;
            return true;
        }

        _waiting.Enqueue(request);
        return false;
    }

    /// <summary>A worker has finished. True when it takes the next request at once.</summary>
    public bool Leave(out int next)
    {
        _here--;
        if (_waiting.TryDequeue(out next)) return true;
        _busy--;
        return false;
    }

    /// <summary>An error has come back from here.</summary>
    public void Failed(bool counts)
    {
        if (counts) Errors++;
    }

    /// <summary>When a worker that begins a request now is done with it.</summary>
    public long Finish(long now, SimulationRandom random, out bool fails)
    {
        foreach (ServerCondition condition in _conditions)
        {
            if (condition.Overrides(now, out long takes, out fails)) return now + takes;
        }

        fails = false;
        double work = options.Service.Draw(ref random) / options.Speed;
        long time = now;

        // Speed is constant from change to change.
        while (_conditions.Length > 0)
        {
            double speed = 1;
            long change = long.MaxValue;
            foreach (ServerCondition condition in _conditions)
            {
                speed *= condition.SpeedAt(time, seed);
                change = Math.Min(change, condition.NextChange(time));
            }

            double done = (change - time) * speed;
            if (speed > 0 && done >= work) return time + (long)Math.Round(work / speed);
            work -= done;
            time = change;
        }

        return time + (long)Math.Round(work);
    }
}
