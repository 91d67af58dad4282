using System.Globalization;

namespace Lb;

/// <content>What the endings of leases do to a server: counting is free of locks, what changes the pool happens under its lock.</content>
public sealed partial class ServerPool
{
    private volatile PoolProtections _protections;
    private long _nextInterval;

    // For jitter, and for ejections that are enforced in part only. Under the lock, but a seeded source may be shared with pickers.
    private double Chance()
    {
        if (_chance is null) return Random.Shared.NextDouble();
        lock (_chance) return _chance.NextDouble();
    }

    /// <summary>A lease ended. Called for every one that is no success, and for successes of servers that are watched. Any thread.</summary>
    internal void Heard(Server server, LeaseOutcome outcome, long started)
    {
        ObserveEnd(server, outcome);
        if (outcome.IsFailure)
        {
            RetryBudget.Failed();
            HeardFailure(server, outcome.FailureKind, started);
            return;
        }

        if (outcome.IsSuccess)
        {
            RetryBudget.Succeeded();
            HeardSuccess(server, started, isEnd: true);
        }
        else if (server.Ejection is { IsTrial: true } trial && started >= trial.Since)
        {
            server.GiveBackTrialLease();
        }
    }

    /// <summary>A watched server answered: at layer 4 that is the success, the connection may last for hours. Any thread.</summary>
    internal void HeardResponse(Server server, long started)
    {
        ObserveAnswer(server);
        HeardSuccess(server, started, isEnd: false);
    }

    private void HeardSuccess(Server server, long started, bool isEnd)
    {
        if (server.Ejection is { } ejection)
        {
            if (!ejection.IsTrial || started < ejection.Since) return;
            lock (_lock) TrialSucceeded(server, started, isEnd);
            TellWatchers();
            return;
        }

        if (!server.IsNews(started)) return;
        PoolProtections protections = _protections;
        server.ForgetFailures(protections.WatchesAll);
        if (!protections.HasCircuit) return;
        lock (_lock) server.Circuit.Succeeded();
    }

    private void HeardFailure(Server server, FailureKind kind, long started)
    {
        PoolProtections protections = _protections;
        long now = _time.GetTimestamp();
        if (server.Ejection is { } ejection)
        {
            // Those who were let in before it was ejected are not news.
            if (!ejection.IsTrial || started < ejection.Since) return;
            lock (_lock) TrialFailed(server, started, now);
            TellWatchers();
            return;
        }

        (int any, int gateway) = server.CountFailure(kind, now);
        EjectionReason? reason = null;
        OutlierOptions outlier = protections.Outlier;
        if (outlier.Enabled)
        {
            // Again and again while it is refused because too many are out already.
            if (outlier.ConsecutiveFailures > 0 && any % outlier.ConsecutiveFailures == 0) reason = EjectionReason.ConsecutiveFailures;
            else if (outlier.ConsecutiveGatewayFailures > 0 && gateway > 0 && gateway % outlier.ConsecutiveGatewayFailures == 0) reason = EjectionReason.ConsecutiveGatewayFailures;
        }

        bool startsInterval = protections.JudgesRates && Volatile.Read(ref _nextInterval) == 0;
        if (reason is null && !startsInterval && !protections.HasCircuit && protections.MaxFails == 0) return;
        lock (_lock)
        {
            if (startsInterval) StartInterval(server, now);
            if (server.InUse && !server.Sorry && server.Ejection is null) Judge(server, reason, protections, now);
        }

        TellWatchers();
    }

    // Under the lock, as everything below.
    private void Judge(Server server, EjectionReason? outlier, PoolProtections protections, long now)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        LeaseCounts counts = server.Counts;
        if (protections.HasCircuit && server.Circuit.Failed(now, counts.Successes, counts.Failures, protections.Circuit))
        {
            Eject(server, EjectionReason.CircuitOpen, now, protections.Circuit.OpenFor, "too many failures: circuit open");
        }
        else if (protections.MaxFails > 0 && server.FailWindow.Observe(now, protections.FailTimeout, protections.MaxFails) && WantedMains() > 1)
        {
            Eject(server, EjectionReason.MaxFails, now, protections.FailTimeout, string.Create(culture, $"{protections.MaxFails} failures within the fail time-out"));
        }
        else if (outlier is { } reason)
        {
            string what = reason == EjectionReason.ConsecutiveFailures ? "failures" : "failed connections";
            if (EjectOutlier(server, reason, protections, now, string.Create(culture, $"{server.ConsecutiveFailures} {what} in a row"))) Publish();
            return;
        }
        else
        {
            return;
        }

        Publish();
    }

    private bool EjectOutlier(Server server, EjectionReason reason, PoolProtections protections, long now, string cause)
    {
        int wanted = WantedMains(), out1 = 0;
        foreach (Server other in _servers)
        {
            if (other.Ejection is { Reason: < EjectionReason.MaxFails }) out1++;
        }

        OutlierOptions outlier = protections.Outlier;
        if (server.Backup || out1 >= OutlierJudge.MostEjected(wanted, outlier.MaxEjectedPercent)) return false;
        if (outlier.Enforcing < 100 && Chance() * 100 >= outlier.Enforcing) return false;
        server.TimesEjected++;
        TimeSpan time = OutlierJudge.EjectionTime(server.TimesEjected, outlier, outlier.EjectionJitter > TimeSpan.Zero ? Chance() : 0);
        Eject(server, reason, now, Ticks(time), cause);
        if (_nextInterval == 0) StartInterval(server: null, now);
        return true;
    }

    private void Eject(Server server, EjectionReason reason, long now, long ticks, string cause)
    {
        server.ForgetFailures(_protections.WatchesAll);
        string text = $"{cause}; out for {Durations.Format(TimeSpan.FromSeconds((double)ticks / TimestampsPerSecond))}";
        ChangeAndTell(server, text, s => s.Ejection = new Ejection(reason, now, now + ticks, IsTrial: false));
    }

    private int WantedMains()
    {
        int count = 0;
        foreach (Server server in _members)
        {
            if (server is { Backup: false, Sorry: false, Standing: ServerAdmin.Ready, Weight: > 0 }) count++;
        }

        return count;
    }

    private void TrialSucceeded(Server server, long started, bool isEnd)
    {
        if (server.Ejection is not { IsTrial: true } trial || started < trial.Since) return;
        if (isEnd && server.TrialResponses > 0)
        {
            // Counted when it answered.
            server.TrialResponses--;
            return;
        }

        if (!isEnd) server.TrialResponses++;
        if (server.Circuit.TrialEnded(success: true) != TrialVerdict.Close) return;
        server.ForgetFailures(_protections.WatchesAll);
        server.FailWindow.TrialSucceeded();
        ChangeAndTell(server, "the trial succeeded", static s => s.Ejection = null);
        Publish();
    }

    private void TrialFailed(Server server, long started, long now)
    {
        if (server.Ejection is not { IsTrial: true } trial || started < trial.Since) return;
        if (server.Circuit.TrialEnded(success: false) != TrialVerdict.OpenAgain) return;
        server.ForgetFailures(_protections.WatchesAll);
        server.Ejection = trial with { Since = now, Until = now + TrialPeriod(trial.Reason), IsTrial = false };
        Publish();
    }

    private long TrialPeriod(EjectionReason reason) => reason == EjectionReason.MaxFails ? _protections.FailTimeout : _protections.Circuit.OpenFor;

    /// <summary>The time of an ejection is over.</summary>
    /// <returns>True when the candidates change.</returns>
    private bool EndEjection(Server server, Ejection ejection, long now)
    {
        if (ejection.Reason is not (EjectionReason.MaxFails or EjectionReason.CircuitOpen))
        {
            ChangeAndTell(server, "ejection over", static s => s.Ejection = null);
            return true;
        }

        // It lasts until it is decided: its leases end some time, and one that nobody takes costs nothing.
        int leases = ejection.Reason == EjectionReason.MaxFails ? 1 : _protections.Circuit.HalfOpenRequests;
        server.Circuit.BeginTrial(leases);
        server.TrialResponses = 0;
        server.BeginTrial(leases);
        server.Ejection = ejection with { Since = now, Until = long.MaxValue, IsTrial = true };
        return true;
    }

    // The first failure after a quiet time begins an interval; nothing ticks in pools that don't fail.
    private void StartInterval(Server? server, long now)
    {
        if (_nextInterval != 0) return;
        foreach (Server each in _servers)
        {
            LeaseCounts counts = each.Counts;
            each.CountsAtInterval = ReferenceEquals(each, server) ? counts with { Failures = counts.Failures - 1 } : counts;
        }

        Volatile.Write(ref _nextInterval, now + _protections.Interval);
        Schedule(now);
    }

    private bool EndInterval(long now)
    {
        PoolProtections protections = _protections;
        List<Server> judged = _servers.FindAll(static s => s is { Backup: false, Sorry: false, Ejection: null });
        LeaseCounts[] counts = new LeaseCounts[judged.Count];
        bool quiet = true;
        for (int i = 0; i < counts.Length; i++)
        {
            LeaseCounts all = judged[i].Counts, before = judged[i].CountsAtInterval;
            counts[i] = new LeaseCounts(Math.Max(0, all.Successes - before.Successes), Math.Max(0, all.Failures - before.Failures));
            quiet &= counts[i].Failures == 0;
        }

        bool changed = false;
        if (protections.JudgesRates)
        {
            List<(int Index, EjectionReason Reason)> found = [];
            OutlierJudge.FindByRate(counts, protections.Outlier, found);
            foreach ((int index, EjectionReason reason) in found)
            {
                LeaseCounts of = counts[index];
                string cause = string.Create(CultureInfo.InvariantCulture, $"{of.Failures} of {of.Failures + of.Successes} failed in the last {Durations.Format(protections.Outlier.Interval)}");
                changed |= EjectOutlier(judged[index], reason, protections, now, cause);
            }
        }

        foreach (Server server in _servers)
        {
            if (server.Ejection is null && server.TimesEjected > 0) server.TimesEjected--;
            quiet &= server.TimesEjected == 0 && server.Ejection is null;
            server.CountsAtInterval = server.Counts;
        }

        Volatile.Write(ref _nextInterval, quiet ? 0 : now + protections.Interval);
        return changed;
    }

    private long Ticks(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds * TimestampsPerSecond);
}
