namespace Lb.Health;

/// <summary>
/// Passes when a script of sends and expectations goes through to its end (HAProxy <c>tcp-check</c>); works over Unix sockets too. Several connects
/// ask several ports of one server.
/// </summary>
/// <remarks>
/// Results: L7OK, or L4OK and L6OK for a script that expects nothing; L7RSP = an expectation that can't be met any more, with the step; L7TOUT = one that
/// was not met in time; L6RSP, L6TOUT, L4CON, L4TOUT and SOCKERR as in <see cref="TlsChecker"/> and <see cref="TcpChecker"/>. The time of the answer
/// counts from the first connection to the end of the script. At most 16 KiB are kept of an answer. Any thread.
/// </remarks>
public sealed class ScriptChecker : IHealthChecker
{
    private readonly TimeProvider _time;
    private readonly List<ScriptStep> _script;
    private readonly TlsClient? _tls;

    /// <summary>Makes a checker from <see cref="CheckOptions.Script"/>, which is read once.</summary>
    /// <param name="options">The check.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">A step can't be done; the message lists every fault.</exception>
    public ScriptChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        _script = CheckScript.Read("check", options.Script, errors);
        if (errors.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        _time = time ?? TimeProvider.System;
        if (_script.FirstOrDefault() is not { IsConnect: true }) _script.Insert(0, new ScriptStep(new CheckStepOptions { Connect = 0 }, 0, null, null));
        if (_script.Exists(static s => s.Options.Tls)) _tls = new TlsClient(options.Tls ?? new CheckTlsOptions(), null, _time);
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        using Run run = new(this, target, ct);
        ProbeResult passed = default;
        foreach (ScriptStep step in _script)
        {
            ProbeResult result = await run.DoAsync(step).ConfigureAwait(false);

            // A step that does not exist in the configuration has no number to be told by.
            if (!result.Passed) return step.Number == 0 ? result : result with { Text = step.Explain(result.Text) };
            if (result.Status >= passed.Status) passed = result;
        }

        return passed;
    }

    /// <summary>One check: its connection, its time and what it has received.</summary>
    private sealed class Run(ScriptChecker checker, ProbeTarget target, CancellationToken ct) : IDisposable
    {
        private byte[] _received = new byte[1024];
        private ProbeConnection? _connection;
        private FairTimeout? _limit;
        private int _filled;
        private bool _ended;

        private CancellationToken Token => _limit?.Token ?? ct;

        public async ValueTask<ProbeResult> DoAsync(ScriptStep step)
        {
            try
            {
                if (step.IsConnect) return await ConnectAsync(step.Options).ConfigureAwait(false);
                if (step.IsExpect) return await ExpectAsync(step).ConfigureAwait(false);
                _filled = 0;
                await _connection!.SendAsync(step.Bytes, Token).ConfigureAwait(false);
                return new ProbeResult(CheckStatus.Layer4Ok);
            }
            catch (OperationCanceledException)
            {
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, step.IsExpect ? _filled == 0 ? "nothing received in time" : "not received in time" : "not sent in time");
            }
            catch (Exception error) when (ProbeConnection.IsBroken(error))
            {
                return new ProbeResult(CheckStatus.Layer7Response, 0, "connection reset");
            }
        }

        public void Dispose()
        {
            _connection?.Dispose();
            _limit?.Dispose();
        }

        private async ValueTask<ProbeResult> ConnectAsync(CheckStepOptions step)
        {
            _connection?.Dispose();
            _connection = null;
            _filled = 0;
            _ended = false;
            ProbeTarget here = step.Connect is { } port and > 0 ? target with { EndPoint = ProbeSocket.WithPort(target.EndPoint, port) } : target;
            (_connection, ProbeResult failure) = await ProbeConnection.OpenAsync(here, checker._time, Token).ConfigureAwait(false);
            if (_connection is null) return failure;
            if (target.AnswerTimeout is { } answer) _limit ??= new FairTimeout(answer, checker._time, ct);
            if (step.Tls && await _connection.EncryptAsync(checker._tls!, here, Token).ConfigureAwait(false) is { } refused) return refused;
            if (!step.Linger) _connection.ResetAtEnd();
            return new ProbeResult(step.Tls ? CheckStatus.Layer6Ok : CheckStatus.Layer4Ok);
        }

        private async ValueTask<ProbeResult> ExpectAsync(ScriptStep step)
        {
            while (true)
            {
                switch (step.Judge(_received.AsSpan(0, _filled), _ended || _filled == ScriptStep.MaxReceived))
                {
                    case Expectation.Met: return new ProbeResult(CheckStatus.Layer7Ok, 0, step.Options.OnSuccess ?? "");
                    case Expectation.Failed: return new ProbeResult(CheckStatus.Layer7Response, 0, Reason(step));
                }

                if (_filled == _received.Length) Array.Resize(ref _received, _filled * 2);
                int received = await _connection!.ReceiveAsync(_received.AsMemory(_filled), Token).ConfigureAwait(false);
                _ended = received == 0;
                _filled += received;
            }
        }

        private string Reason(ScriptStep step) =>
            step.Options.Not ? "received what must not come"
            : _ended ? _filled == 0 ? "closed without an answer" : "closed without it"
            : _filled == ScriptStep.MaxReceived ? "not in the first 16 KiB" : "received something else";
    }
}
