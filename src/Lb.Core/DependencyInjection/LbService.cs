using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Primitives;

namespace Lb;

/// <summary>Starts the parts in order, reloads them when the configuration changes, stops them backwards.</summary>
internal sealed class LbService(
    LbConfiguration configuration,
    EventHub events,
    IEnumerable<INotifier> notifiers,
    IEnumerable<LbConfigurationSection> sections,
    LbMetrics metrics,
    TimeProvider time,
    ILogger<LbService>? log = null) : IHostedLifecycleService, ILbReloader, IDisposable
{
    private readonly ILogger _logger = log ?? NullLogger<LbService>.Instance;
    private readonly SemaphoreSlim _one = new(1);
    private readonly CancellationTokenSource _stopped = new();
    private readonly List<IDisposable> _subscriptions = [];
    private int _disposed;
    private bool _started;
    private Task _telling = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _telling = events.RunAsync([.. notifiers], _stopped.Token);
        metrics.Start();
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Before the configuration is read: a change in between must not be missed. The reload waits for its turn.
            foreach (LbConfigurationSection section in sections)
                _subscriptions.Add(ChangeToken.OnChange(section.Section.GetReloadToken, () => _ = ReloadAsync(CancellationToken.None)));
            LbOptions options = configuration.ReadValid();
            foreach (ILbPart part in configuration.Parts) await part.ApplyAsync(options, cancellationToken).ConfigureAwait(false);
            _started = true;
        }
        catch
        {
            // Nothing of it stays: a host that could not start is not asked to stop.
            foreach (IDisposable subscription in _subscriptions) subscription.Dispose();
            foreach (ILbPart part in configuration.Parts.Reverse()) await StopQuietlyAsync(part).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _one.Release();
        }
    }

    // What went wrong first is what people must hear of.
    private async Task StopQuietlyAsync(ILbPart part)
    {
        try
        {
            await part.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            CoreLog.StopFailed(_logger, error, part.Handles);
        }
    }

    public async Task<IReadOnlyList<ConfigurationError>> ReloadAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (!_started || _stopped.IsCancellationRequested) return [];
            LbOptions options = configuration.Read();
            IReadOnlyList<ConfigurationError> errors = configuration.Validate(options);
            if (errors.Count == 0)
            {
                foreach (ILbPart part in configuration.Parts) await part.ApplyAsync(options, ct).ConfigureAwait(false);
            }

            events.Publish(new ConfigurationReloaded(time.GetUtcNow(), [.. errors.Select(static e => e.ToString())]));
            return errors;
        }
        catch (LbConfigurationException error)
        {
            // Found only while it was applied: a host name that has no address, a port that somebody took in between.
            events.Publish(new ConfigurationReloaded(time.GetUtcNow(), [.. error.Errors.Select(static e => e.ToString())]));
            return error.Errors;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            CoreLog.ApplyFailed(_logger, error);
            return [new ConfigurationError("Lb", null, error.Message)];
        }
        finally
        {
            _one.Release();
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (IDisposable subscription in _subscriptions) subscription.Dispose();

        // A reload under way is waited for even when there is no more time: the parts must be stopped, not left half changed.
        await _one.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        List<Exception> failures = [];
        foreach (ILbPart part in configuration.Parts.Reverse())
        {
            try
            {
                await part.StopAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // The others are stopped all the same.
                failures.Add(error);
            }
        }

        await _stopped.CancelAsync().ConfigureAwait(false);
        _one.Release();
        await _telling.ConfigureAwait(false);
        if (failures.Count > 0) throw new AggregateException("Parts of Lb could not be stopped.", failures);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        // The container knows this object under several names and disposes it under each.
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _stopped.Cancel();
        _stopped.Dispose();
        _one.Dispose();
    }
}

/// <summary>A section of the host's configuration that Lb follows.</summary>
internal sealed record LbConfigurationSection(IConfiguration Section, string Path);

/// <summary>Reloads the configuration on demand. Any thread; calls wait for each other.</summary>
public interface ILbReloader
{
    /// <summary>Reads the configuration again and applies it if it has no faults; otherwise the running one stays as it is.</summary>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The faults; empty when it was applied.</returns>
    Task<IReadOnlyList<ConfigurationError>> ReloadAsync(CancellationToken ct);
}
