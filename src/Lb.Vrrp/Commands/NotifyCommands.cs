using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>
/// Runs the programs that are told of a router's changes of state (<see cref="RouterNotifyOptions"/>): one at a time for each router and in order, the
/// state's own before <see cref="RouterNotifyOptions.Any"/>. What happens while one runs is told by its last state. Never makes the events wait. Any thread.
/// </summary>
/// <param name="optionsOf">The programs of a router; null: there is no such router.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Where failed programs are logged.</param>
internal sealed class NotifyCommands(Func<string, RouterNotifyOptions?> optionsOf, TimeProvider time, ILogger<NotifyCommands> logger) : INotifier, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Runner> _runners = new(StringComparer.Ordinal);

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        if (notice is not RouterStateChanged changed || WordOf(changed.To) is null) return default;
        if (changed is { From: RouterState.Initialize, To: RouterState.Initialize }) return default;

        // A router that a changed configuration no longer has is stopped with the programs it had.
        Runner? runner = _runners.GetValueOrDefault(changed.Router);
        RouterNotifyOptions? options = optionsOf(changed.Router) ?? runner?.Options;
        if (options is null) return default;
        runner ??= _runners.GetOrAdd(changed.Router, static (name, owner) => new Runner(owner, name), this);
        runner.Put(options, new StateNotice(changed.To, changed.Priority));
        return default;
    }

    /// <summary>Waits until all that was to be told is told. Each program has <see cref="RouterNotifyOptions.Timeout"/> at most.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_runners.Values.Select(static r => r.Idle)).ConfigureAwait(false);

    /// <summary>keepalived's word for a state; null: it has none, and nobody is told.</summary>
    internal static string? WordOf(RouterState state) => state switch
    {
        RouterState.Active => "MASTER",
        RouterState.Backup => "BACKUP",
        RouterState.Fault => "FAULT",
        RouterState.Initialize => "STOP",
        _ => null,
    };

    private async Task TellAsync(string router, RouterNotifyOptions options, StateNotice notice)
    {
        IList<string> own = notice.State switch
        {
            RouterState.Active => options.Active,
            RouterState.Backup => options.Backup,
            RouterState.Fault => options.Fault,
            _ => options.Stop,
        };
        await RunAsync(router, options, notice, [.. own]).ConfigureAwait(false);
        if (options.Any.Count == 0) return;
        string[] any = [.. options.Any, "INSTANCE", router, WordOf(notice.State)!, notice.Priority.ToString(CultureInfo.InvariantCulture)];
        await RunAsync(router, options, notice, any).ConfigureAwait(false);
    }

    private async Task RunAsync(string router, RouterNotifyOptions options, StateNotice notice, string[] words)
    {
        if (words.Length == 0) return;
        string text;
        try
        {
            using CancellationTokenSource limit = new(options.Timeout, time);
            (bool passed, text) = CommandWords.Tell(await ExternalCommand.RunAsync(new CommandLine(words) { User = options.User }, limit.Token).ConfigureAwait(false));
            if (passed) return;
        }
        catch (Exception error)
        {
            // The queue must go on, whatever a program or the system has done.
            text = error.Message;
        }

        NotifyLog.CommandFailed(logger, words[0], router, notice.State, text);
    }

    private sealed class Runner(NotifyCommands owner, string router)
    {
        private readonly Lock _lock = new();
        private readonly NotifyQueue _queue = new();
        private bool _isBusy;
        private Task _idle = Task.CompletedTask;

        public RouterNotifyOptions? Options { get; private set; }

        public Task Idle
        {
            get
            {
                lock (_lock) return _idle;
            }
        }

        public void Put(RouterNotifyOptions options, StateNotice notice)
        {
            lock (_lock)
            {
                Options = options;
                _queue.Put(notice);
                if (_isBusy) return;
                _isBusy = true;
                _idle = Task.Run(TellAllAsync, CancellationToken.None);
            }
        }

        private async Task TellAllAsync()
        {
            while (true)
            {
                StateNotice notice;
                RouterNotifyOptions options;
                lock (_lock)
                {
                    _isBusy = _queue.TryTake(out notice);
                    if (!_isBusy) return;
                    options = Options!;
                }

                await owner.TellAsync(router, options, notice).ConfigureAwait(false);
            }
        }
    }
}
